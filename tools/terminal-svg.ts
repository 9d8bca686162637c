/** Makes a picture of what a command printed, for the README: `npm run demo | node tools/terminal-svg.ts > docs/demo.svg`. */
import { readFileSync } from "node:fs";

const [cell, line, margin] = [7.8, 17, 16];
const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Headings of phases stand out; states and seconds stay as they are. */
const colour = (text: string) => (text.startsWith("\u2500\u2500") ? "#7dcfff" : /^\s+[\d.]+ s {2}/.test(text) ? "#9ece6a" : "#c0caf5");

const lines = readFileSync(0, "utf8").replaceAll("\r", "").trimEnd().split("\n");
const columns = Math.max(...lines.map((text) => text.length));
const width = Math.ceil(columns * cell + 2 * margin);
const height = lines.length * line + 2 * margin;
const rows = lines.map(
  (text, index) => `<text x="${margin}" y="${margin + (index + 1) * line - 4}" fill="${colour(text)}">${escape(text)}</text>`,
);
console.log(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="100%" height="100%" rx="8" fill="#1a1b26"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" xml:space="preserve">
${rows.join("\n")}
</g>
</svg>`);
