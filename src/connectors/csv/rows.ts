import { parse } from 'csv-parse/sync'
import { frame, frameState, type FrameState, type Span } from './frame.ts'
import { asUtf8, lossyText, readWindow, slice, type Source, unitBytesOf, type Window } from './source.ts'

/** A position between two rows: code units from the start of the file, and the line there, from 1. */
export type Position = { readonly at: number; readonly line: number }

/** How much is read at once. A row longer than `windowBytes` is bad. */
export type Limits = { readonly rows: number; readonly windowBytes: number }

/** 2,000 rows of up to 500 bytes; rows of 1 KB give pages of 1,000. */
export const LIMITS: Limits = { rows: 2_000, windowBytes: 1 << 20 }

type Placed = {
  readonly start: number
  /** After the row's text; the line break is not part of it. */
  readonly end: number
  readonly line: number
  /** Closed by a line break. */
  readonly ended: boolean
}
export type Row =
  | (Placed & { readonly kind: 'row'; readonly cells: readonly string[] })
  | (Placed & {
      readonly kind: 'bad'
      readonly problem: string
      /** The start of its text, up to `RAW_MAX` characters. */
      readonly raw: string
      /** The first cells, as far as they are certain. */
      readonly cells: readonly string[]
    })

export type Block = {
  readonly rows: readonly Row[]
  readonly next: Position
  /** The end of the file is reached. */
  readonly end: boolean
  /** The file stops in the middle of a cell or of a character: it is not whole. */
  readonly cut: boolean
  readonly window: Window
}

const RAW_MAX = 1_000

/**
 * The rows from a position on: as many as fit in one window and one page, at least one unless the file ends. Memory is
 * bounded by the window, whatever a row holds. A broken row is reported and reading goes on at its second line, so an
 * unbalanced quote costs one row and not the rest of the file.
 */
export async function readRows(source: Source, from: Position, limits: Limits): Promise<Block> {
  const window = await readWindow(source, from.at, limits.windowBytes)
  const delimiter = source.delimiter.charCodeAt(0)
  const rows: Row[] = []
  let state = frameState(from.at, from.line)
  let cut = window.final && source.size % unitBytesOf(source.encoding) !== 0
  for (;;) {
    const spans: Span[] = []
    const room = limits.rows - rows.length
    const stop = frame(window.units, window.base, delimiter, window.final, room, state, spans)
    parseSpans(source, window, spans, rows)
    if (stop === 'garbled' || stop === 'unclosed') {
      cut ||= stop === 'unclosed'
      rows.push(brokenRow(source, window, state, stop))
      state = frameState(state.firstBreak, state.line + 1)
      if (rows.length < limits.rows) continue
    } else if (stop === 'window' && rows.length === 0 && state.start === from.at) {
      const long = await passLongRow(source, window, state, limits)
      return { rows: [long.row], next: long.next, end: long.end, cut: long.cut, window }
    }
    const end = window.final && state.start === window.base + window.units.length
    return { rows, next: { at: state.start, line: state.line }, end, cut, window }
  }
}

/** Reads on to the end of a row that does not fit in a window, and keeps none of it. */
async function passLongRow(source: Source, first: Window, state: FrameState, limits: Limits) {
  const delimiter = source.delimiter.charCodeAt(0)
  const { start, line } = state
  for (;;) {
    const window = await readWindow(source, state.at, limits.windowBytes)
    const spans: Span[] = []
    const stop = frame(window.units, window.base, delimiter, window.final, 1, state, spans)
    if (stop === 'window') continue
    const broken = stop === 'garbled' || stop === 'unclosed'
    const next = broken ? { at: state.firstBreak, line: line + 1 } : { at: state.start, line: state.line }
    const known = Math.min(
      broken ? next.at : start + RAW_MAX,
      start + RAW_MAX,
      first.base + first.units.length,
    )
    const raw = lossyText(slice(first, start, known), source.encoding).trimEnd()
    const row: Row = {
      kind: 'bad',
      start,
      end: spans[0]?.end ?? next.at,
      line,
      ended: spans[0]?.ended ?? true,
      problem: broken ? PROBLEM[stop] : `longer than ${limits.windowBytes.toLocaleString('en')} bytes`,
      raw,
      cells: certainCells(raw, source.delimiter),
    }
    const end = stop === 'end' || next.at * unitBytesOf(source.encoding) >= source.size
    return { row, next, end, cut: stop === 'unclosed' }
  }
}

const PROBLEM = {
  garbled: 'text after a closing quote: a quote inside a quoted cell must be doubled',
  unclosed: 'a quote that is never closed',
}

function brokenRow(source: Source, window: Window, state: FrameState, stop: 'garbled' | 'unclosed'): Row {
  const { start, line, firstBreak } = state
  const end = Math.min(firstBreak, start + RAW_MAX)
  const raw = lossyText(slice(window, start, end), source.encoding).trimEnd()
  const cells = certainCells(raw, source.delimiter)
  return { kind: 'bad', start, end: firstBreak, line, ended: true, problem: PROBLEM[stop], raw, cells }
}

/** The cells before the first quote, without the one it may stand in. */
function certainCells(raw: string, delimiter: string): string[] {
  return (raw.split('"', 1)[0] ?? '').split(delimiter).slice(0, -1)
}

/** Parses neighbouring rows at once; where that fails, halves them until the bad ones stand alone. */
function parseSpans(source: Source, window: Window, spans: readonly Span[], rows: Row[]): void {
  const [first] = spans
  const last = spans.at(-1)
  if (first === undefined || last === undefined) return
  const parsed = parseLegible(source, window, spans, slice(window, first.start, last.end))
  if (parsed !== null) {
    for (const [i, cells] of parsed.entries()) {
      const { start, end, line, ended } = spans[i] ?? last
      rows.push({ kind: 'row', start, end, line, ended, cells })
    }
  } else if (spans.length > 1) {
    const half = spans.length >> 1
    parseSpans(source, window, spans.slice(0, half), rows)
    parseSpans(source, window, spans.slice(half), rows)
  } else rows.push(badRow(source, window, first))
}

/**
 * The cells of each row; null where a byte is illegible or the parser finds other rows than the spans say. A row
 * without a quoted cell is the text between its delimiters; leaving those out makes reading twice as fast.
 */
function parseLegible(
  { encoding, delimiter }: Source,
  window: Window,
  spans: readonly Span[],
  run: Buffer,
): readonly (readonly string[])[] | null {
  const utf8 = asUtf8(run, encoding)
  if (utf8 === null) return null
  const quoted = spans.filter((span) => span.quoted)
  const text = ({ start, end }: Span) => slice(window, start, end)
  const parsed =
    quoted.length === spans.length
      ? parseCells(utf8, delimiter)
      : parseCells(joinLines(quoted.map((span) => asUtf8(text(span), encoding) ?? text(span))), delimiter)
  if (parsed?.length !== quoted.length) return null
  const next = parsed.values()
  return spans.map((span) =>
    span.quoted ? (next.next().value ?? []) : lossyText(text(span), encoding).split(delimiter),
  )
}

const LINE_BREAK = Buffer.from('\n')

function joinLines(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line, LINE_BREAK]))
}

function badRow(source: Source, window: Window, span: Span): Row {
  const bytes = slice(window, span.start, span.end)
  const text = lossyText(bytes, source.encoding)
  const illegible = asUtf8(bytes, source.encoding) === null
  const problem = illegible ? `bytes that are not ${source.encoding}` : 'not a CSV row'
  const cells = parseCells(Buffer.from(text), source.delimiter)?.[0] ?? []
  // A cell with a replaced character is not what the file says, so it may not pass for an id.
  const certain = cells.findIndex((cell) => !cell.isWellFormed() || cell.includes('\uFFFD'))
  return {
    kind: 'bad',
    ...span,
    problem,
    raw: text.slice(0, RAW_MAX),
    cells: certain < 0 ? cells : cells.slice(0, certain),
  }
}

/** Null where the text is not CSV. */
function parseCells(utf8: Buffer, delimiter: string): string[][] | null {
  try {
    return parse(utf8, {
      delimiter,
      columns: false,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
    })
  } catch {
    return null
  }
}
