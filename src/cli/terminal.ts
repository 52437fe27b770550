import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CliError, EXIT } from './exit.ts'
import type { Terminal } from './wiring.ts'

const PLAIN_COLUMNS = 120

/** The process's own terminal. */
export function processTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const { stdin, stdout, stderr } = process
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return {
    out: stdout,
    err: stderr,
    interactive: stderr.isTTY && env['TERM'] !== 'dumb',
    colour: stdout.isTTY && !plain,
    columns: stdout.isTTY ? stdout.columns : PLAIN_COLUMNS,
    ask: stdin.isTTY && stderr.isTTY ? ask : null,
  }
}

/** The question goes to stderr, so that an answer on stdout stays clean. */
function ask(question: string, hidden: boolean): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  // readline echoes what is typed to its output: for a secret, to nowhere.
  const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : stderr
  const lines = createInterface({ input: stdin, output, terminal: true })
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      if (hidden) stderr.write('\n')
      // Before the close, which rejects where no line came.
      resolve(line)
      lines.close()
    })
    lines.once('SIGINT', () => {
      stderr.write('\n')
      reject(new CliError(EXIT.stopped, 'Nothing was done.'))
      lines.close()
    })
    lines.once('close', () => reject(new CliError(EXIT.input, 'No answer was given. Nothing was done.')))
  })
}
