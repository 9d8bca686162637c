/** The little XML that Howdah writes itself: errors. Everything else comes from the model, and from here only what it may hold. */

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** Characters that XML cannot hold at all become U+FFFD. */
// oxlint-disable-next-line no-control-regex
export const legalXml = (text: string): string => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");

/** Text as it may stand in an XML element or attribute. */
export const escapeXml = (text: string): string => legalXml(text.replace(/[&<>"']/g, (c) => entities[c]!));
