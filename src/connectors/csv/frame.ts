const QUOTE = 34
const CR = 13
const LF = 10

/** Where one row stands. Positions count code units (bytes, or 16-bit units in UTF-16) from the start of the file. */
export type Span = {
  readonly start: number
  /** After the last unit of its text, before the line break. */
  readonly end: number
  /** Of its first line, from 1. */
  readonly line: number
  /** Closed by a line break; only the last row of a file may not be. */
  readonly ended: boolean
  /** At least one cell is in quotes. */
  readonly quoted: boolean
}

/** How far a file has been cut into rows. Kept by the caller, so that a row may span several windows. */
export type FrameState = {
  /** The next unit to look at. */
  at: number
  /** The first unit of the row at hand, and its line. */
  start: number
  line: number
  /** Line breaks passed inside the quotes of this row. */
  breaks: number
  /** After the first of them: where reading goes on if the row turns out to be broken; -1 before any. */
  firstBreak: number
  quoted: boolean
  /** A cell of this row was in quotes. */
  anyQuoted: boolean
  atFieldStart: boolean
  /** The row is broken on its first line: skip to the end of that line. */
  broken: boolean
}

/**
 * Why framing stopped: the window is used up, `max` rows are found, the file is at its end, or the row at hand is
 * broken: `garbled` has text after a closing quote, `unclosed` a quote open at the end of the file.
 */
export type Stop = 'window' | 'full' | 'end' | 'garbled' | 'unclosed'

export function frameState(at: number, line: number): FrameState {
  return {
    at,
    start: at,
    line,
    breaks: 0,
    firstBreak: -1,
    quoted: false,
    anyQuoted: false,
    atFieldStart: true,
    broken: false,
  }
}

/**
 * Cuts a window into rows by the rules of RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180#section-2); LF, CR and
 * CRLF all end a row, a quote counts only at the start of a cell, empty lines are passed over. Adds to `spans` until
 * there are `max`. It only cuts: what a row's cells are is for the parser.
 */
export function frame(
  units: Uint8Array | Uint16Array,
  base: number,
  delimiter: number,
  final: boolean,
  max: number,
  state: FrameState,
  spans: Span[],
): Stop {
  const length = units.length
  let { start, line, breaks, firstBreak, quoted, anyQuoted, atFieldStart, broken } = state
  let at = state.at - base
  let stop: Stop = 'window'
  for (; at < length; at++) {
    const unit = units[at]
    if (quoted) {
      if (unit === QUOTE) {
        if (at + 1 === length && !final) break
        const next = units[at + 1]
        if (next === QUOTE) at++
        else if (next === undefined || next === delimiter || next === LF || next === CR) quoted = false
        else {
          if (firstBreak >= 0) {
            stop = 'garbled'
            break
          }
          broken = true
          quoted = false
        }
      } else if (unit === LF || unit === CR) {
        if (unit === CR) {
          if (at + 1 === length && !final) break
          if (units[at + 1] === LF) at++
        }
        breaks++
        if (firstBreak < 0) firstBreak = base + at + 1
      }
    } else if (unit === delimiter) atFieldStart = true
    else if (unit === LF || unit === CR) {
      if (unit === CR && at + 1 === length && !final) break
      const end = base + at
      if (unit === CR && units[at + 1] === LF) at++
      if (broken) {
        firstBreak = base + at + 1
        stop = 'garbled'
        break
      }
      if (end > start) spans.push({ start, end, line, ended: true, quoted: anyQuoted })
      line += breaks + 1
      start = base + at + 1
      breaks = 0
      firstBreak = -1
      anyQuoted = false
      atFieldStart = true
      if (spans.length >= max) {
        stop = 'full'
        at++
        break
      }
    } else if (unit === QUOTE && atFieldStart && !broken) {
      quoted = true
      anyQuoted = true
      atFieldStart = false
    } else atFieldStart = false
  }
  if (stop === 'window' && final) {
    const end = base + length
    if (quoted || broken) {
      stop = quoted ? 'unclosed' : 'garbled'
      if (firstBreak < 0) firstBreak = end
    } else {
      if (end > start) spans.push({ start, end, line, ended: false, quoted: anyQuoted })
      start = end
      stop = 'end'
    }
  }
  Object.assign(state, {
    at: base + at,
    start,
    line,
    breaks,
    firstBreak,
    quoted,
    anyQuoted,
    atFieldStart,
    broken,
  })
  return stop
}
