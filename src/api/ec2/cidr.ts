/** Blocks of IPv4 and IPv6 addresses. */
import { isIPv4, isIPv6 } from "node:net";

/** `first` is the block's first address as a number of 32 bits. */
export interface Block {
  first: number;
  bits: number;
}

/** undefined for what is no IPv4 block. Bits behind the prefix are cleared, as EC2 does. */
export function parseBlock(text: string): Block | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const bits = Number(length);
  if (rest.length > 0 || !isIPv4(address) || !/^\d{1,2}$/.test(length) || bits > 32) return undefined;
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return { first: number - (number % sizeOf({ bits })), bits };
}

export const sizeOf = ({ bits }: { bits: number }): number => 2 ** (32 - bits);

export function blockText({ first, bits }: Block): string {
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${parts.join(".")}/${bits}`;
}

export const contains = (outer: Block, inner: Block): boolean =>
  inner.first >= outer.first && inner.first + sizeOf(inner) <= outer.first + sizeOf(outer);

/** Blocks are powers of two at their own multiples: two that meet are one within the other. */
export const overlap = (a: Block, b: Block): boolean => contains(a, b) || contains(b, a);

/** As it is kept and shown, or undefined for what is no IPv6 block. */
export function ipv6Block(text: string): string | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const isBlock = rest.length === 0 && isIPv6(address) && !address.includes("%") && /^\d{1,3}$/.test(length) && Number(length) <= 128;
  return isBlock ? text.toLowerCase() : undefined;
}
