import { isList, type Json } from '../core/json.ts'

const LONGEST = 600

/** What a vendor said, for a message: one line, without the megabytes it may have quoted back. */
export function quoted(said: string): string {
  const line = said.replace(/\s+/g, ' ').trim()
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST).toWellFormed()}…`
}

const ADDRESS = /[^\s@<>"'(]+@[^\s@<>"')]+/g

/** What a vendor said, without the addresses that it named: for places that hold no data of people. */
export const withoutAddresses = (said: string): string => said.replace(ADDRESS, 'an address')

/**
 * A value as it can be sent: half a surrogate pair, which a text cut by length ends with, becomes U+FFFD. Encoders
 * for URLs throw at it, and JSON carries it to vendors that refuse or mangle it.
 */
export function sendable<T extends Json | undefined>(value: T): T
export function sendable(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return value.toWellFormed()
  if (isList(value)) return value.map((item) => sendable<Json>(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sendable<Json>(item)]))
}
