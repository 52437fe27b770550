import Table from 'cli-table3'
import pc from 'picocolors'
import { isObject, type Json } from '../core/json.ts'
import type { Terminal } from './wiring.ts'

export type Colours = ReturnType<typeof pc.createColors>

/** Writes a command's answer: words and tables, or one JSON value. */
export type Output = {
  readonly json: boolean
  readonly paint: Colours
  /** A line of the answer, on stdout. */
  readonly line: (text?: string) => void
  /** The answer as JSON, on stdout. */
  readonly value: (value: unknown) => void
  readonly table: (
    head: readonly string[],
    rows: readonly (readonly string[])[],
    right?: readonly number[],
  ) => void
  /** A remark that is not part of the answer, on stderr. */
  readonly note: (text: string) => void
}

export function openOutput(terminal: Terminal, json: boolean): Output {
  const paint = pc.createColors(terminal.colour && !json)
  const line = (text = ''): void => void terminal.out.write(`${harmless(text, paint.isColorSupported)}\n`)
  return {
    json,
    paint,
    line,
    value: (value) => line(JSON.stringify(value, null, 2).replaceAll(OBEYED, escaped)),
    table: (head, rows, right = []) => line(drawTable(terminal, paint, head, rows, right)),
    note: (text) => void terminal.err.write(`${harmless(text, false)}\n`),
  }
}

/**
 * Text without what a terminal would obey: escapes, and marks that turn text around. Files and vendors have a say in
 * much of what is shown.
 */
export function harmless(text: string, coloured: boolean): string {
  return text.replaceAll(coloured ? OBEYED_BUT_COLOURS : OBEYED, '')
}
/** As JSON writes it: the value is the same, and nothing obeys it. */
const escaped = (mark: string): string => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`
const OBEYED = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/gu
const OBEYED_BUT_COLOURS =
  // oxlint-disable-next-line no-control-regex
  /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|(?![\n\t]|\u001b\[\d{1,3}m)\p{Cc}/gu

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}
const NARROWEST = 12

/** Columns as wide as their widest cell; the widest column gives way where the terminal is narrow. */
function drawTable(
  terminal: Terminal,
  paint: Colours,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((row) => visibleWidth(row[i] ?? ''))))
  const room = terminal.columns - 2 * (head.length - 1)
  const total = widths.reduce((sum, width) => sum + width, 0)
  const widest = widths.indexOf(Math.max(...widths))
  if (total > room && terminal.interactive) {
    widths[widest] = Math.max(NARROWEST, (widths[widest] ?? 0) - (total - room))
  }
  const table = new Table({
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: widths,
    colAligns: head.map((_, i) => (right.includes(i) ? 'right' : 'left')),
    wordWrap: true,
  })
  table.push(
    head.map((cell) => paint.bold(cell)),
    ...rows.map((row) => [...row]),
  )
  return table
    .toString()
    .split('\n')
    .map((text) => text.trimEnd())
    .join('\n')
}

// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001b\[\d+m/g
const visibleWidth = (text: string): number => text.replaceAll(ESCAPES, '').length

export const number = (value: number): string => value.toLocaleString('en-US')
/** Zero is quiet, so that what is not stands out. */
export const quiet = (value: number): string => (value === 0 ? '·' : number(value))
export const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

const STEPS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
] as const

/** `3 hours ago`. */
export function ago(at: number | null, now: number): string {
  if (at === null) return 'never'
  const passed = Math.max(0, now - at)
  for (const [ms, unit] of STEPS) {
    if (passed >= ms) return `${plural(Math.floor(passed / ms), unit)} ago`
  }
  return 'just now'
}

/** `3 hours`, for a length that is only an estimate. */
export function roughly(ms: number): string {
  const [unitMs, unit] = STEPS.find(([stepMs]) => ms >= 2 * stepMs) ?? [1_000, 'second']
  return plural(Math.max(1, Math.round(ms / unitMs)), unit)
}

/** `2026-03-02 09:00 UTC`. */
export const when = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** A value in one line, for people. */
export function shown(value: Json | undefined): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'string') return value.replaceAll(/\s+/g, ' ')
  if (typeof value !== 'object') return String(value)
  if (!isObject(value)) return value.length === 0 ? 'nothing' : value.map((item) => shown(item)).join(', ')
  const { amount, currency } = value
  if (typeof amount === 'number' && typeof currency === 'string') return money(amount, currency)
  return Object.entries(value)
    .map(([key, part]) => `${key} ${shown(part)}`)
    .join(', ')
}

function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat('en-US', { style: 'currency', currency, currencyDisplay: 'code' })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(minor / 10 ** digits).replace(/\u00a0/g, ' ')
}

/** What outsiders wrote, in one line. */
export const tame = (text: string): string => harmless(text.replaceAll(/[\p{Cc}\s]+/gu, ' '), false).trim()

export const clip = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`

/** A probability for people. */
export const percent = (probability: number): string =>
  probability > 0.9999 ? '>99.99%' : `${(100 * probability).toFixed(probability > 0.99 ? 2 : 0)}%`
