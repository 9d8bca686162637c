/**
 * The spot market: what an instance type costs in a zone at a time, and how many of it there are. A pure function of its settings, so that the same seed has the same prices on any
 * machine and after any restart, and nothing of it is kept. Prices are below those on demand, stay for a while and then move, by themselves: nobody's instances move them.
 */
import { createHash } from "node:crypto";
import { onDemandPrice } from "../releases/prices.ts";

/** `spot` of howdah.json (docs/spot.md). */
export interface SpotSettings {
  seed: number;
  /** Of the price on demand. */
  price: number;
  /** By what share of themselves prices go up and down, and by what share of itself capacity goes down. */
  moves: number;
  /** How long a price and a capacity stay. */
  changeMinutes: number;
  /** Instances, by type, in each zone; without end where a type is not named. */
  capacity: Record<string, number>;
  /** Whether instances are taken back whose bid is below the price, or for which there is no capacity any more. */
  interruptions: boolean;
  noticeSeconds: number;
}

export interface SpotMarket extends Pick<SpotSettings, "interruptions"> {
  /** USD an hour, with EC2's six decimals; Infinity for a type that the price list does not have. `at`: epoch milliseconds. */
  price(instanceType: string, zone: string, at: number): number;
  /** Instances of this type that the zone has, taken or not; Infinity where nothing limits them. */
  capacity(instanceType: string, zone: string, at: number): number;
  /** When the prices of `at` began. */
  began(at: number): number;
  /** Whether any type's capacity has an end. */
  isLimited: boolean;
  /** From the notice to the end of an instance. */
  noticeMs: number;
}

export const calm: SpotSettings = {
  seed: 1,
  price: 0.33,
  moves: 0.1,
  changeMinutes: 60,
  capacity: {},
  interruptions: false,
  noticeSeconds: 120,
};

export function createSpotMarket(settings: SpotSettings = calm): SpotMarket {
  const { seed, price: share, moves, changeMinutes, capacity: limits, interruptions, noticeSeconds } = settings;
  const periodMs = changeMinutes * 60_000;
  const periodOf = (at: number) => Math.floor(at / periodMs);
  /** From 0 to 1, the same for the same words. */
  function chance(...words: (string | number)[]): number {
    return (
      createHash("sha256")
        .update([seed, ...words].join(" "))
        .digest()
        .readUInt32BE(0) / 0xffff_ffff
    );
  }
  return {
    interruptions,
    price(type, zone, at) {
      const onDemand = onDemandPrice(type);
      if (onDemand === Infinity) return Infinity;
      const swing = 2 * chance("price", type, zone, periodOf(at)) - 1;
      return Number(Math.min(onDemand, onDemand * share * (1 + moves * swing)).toFixed(6));
    },
    capacity: (type, zone, at) => Math.round((limits[type] ?? Infinity) * (1 - moves * chance("capacity", type, zone, periodOf(at)))),
    began: (at) => periodOf(at) * periodMs,
    isLimited: Object.keys(limits).length > 0,
    noticeMs: noticeSeconds * 1000,
  };
}
