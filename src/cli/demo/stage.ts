import { openOutput, type Output } from '../output.ts'
import type { Terminal } from '../wiring.ts'

const WIDTH = 80
const MARGIN = '  '
const TIME_WIDTH = 8
const ROW_NAME = 20

/** Where the demo speaks: short lines, aligned, never wider than the terminal. */
export type Stage = {
  readonly output: Output
  heading(text: string): void
  say(text?: string): void
  /** Lines of something else's output, kept as they are. */
  quote(text: string): void
  done(text: string, tookMs: number): void
  /** A name and what is to be said of it. */
  row(name: string, value: string): void
  failed(text: string): void
}

export function openStage(terminal: Terminal): Stage {
  const output = openOutput(terminal, false)
  const { paint, line } = output
  const width = Math.max(40, Math.min(WIDTH, terminal.columns))
  return {
    output,
    heading(text) {
      line()
      line(paint.bold(text))
    },
    say(text = '') {
      for (const part of wrap(text, width - MARGIN.length)) line(`${MARGIN}${part}`.trimEnd())
    },
    quote(text) {
      for (const part of text
        .trimEnd()
        .split('\n')
        .flatMap((whole) => hung(whole, width - 6)))
        line(paint.dim(`${MARGIN}  │ ${part}`.trimEnd()))
    },
    done(text, tookMs) {
      const [first = '', ...rest] = wrap(text, width - 4 - TIME_WIDTH)
      const room = width - 4 - TIME_WIDTH
      line(
        `${MARGIN}${paint.green('✓')} ${first.padEnd(room)}${paint.dim(seconds(tookMs).padStart(TIME_WIDTH))}`,
      )
      for (const part of rest) line(`${MARGIN}  ${part}`)
    },
    row(name, value) {
      const [first = '', ...rest] = wrap(value, width - ROW_NAME - 3)
      line(`${MARGIN}${paint.dim(name.padEnd(ROW_NAME))} ${first}`)
      for (const part of rest) line(`${MARGIN}${' '.repeat(ROW_NAME)} ${part}`)
    },
    failed(text) {
      const [first = '', ...rest] = wrap(text, width - 4)
      line(`${MARGIN}${paint.red('✗')} ${paint.red(first)}`)
      for (const part of rest) line(`${MARGIN}  ${paint.red(part)}`)
    },
  }
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s`

/** Wraps a line and lets what follows hang under its own beginning. */
function hung(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? ''
  const [first = '', ...rest] = wrap(text.slice(indent.length), width - indent.length - 4)
  return [`${indent}${first}`, ...rest.map((part) => `${indent}    ${part}`)]
}

/** Breaks at spaces; a word that is wider than the line stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
