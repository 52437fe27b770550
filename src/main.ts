import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { describeError, EXIT } from './cli/exit.ts'
import { runCli } from './cli/program.ts'
import { processTerminal } from './cli/terminal.ts'
import type { Wiring } from './cli/wiring.ts'
import { csv } from './connectors/csv/index.ts'
import { gmail } from './connectors/gmail/index.ts'
import { imap } from './connectors/imap/index.ts'
import { mailchimp } from './connectors/mailchimp/index.ts'
import { outlook } from './connectors/outlook/index.ts'
import { stripe } from './connectors/stripe/index.ts'
import { serveHttp } from './http/serve.ts'

const ROOT = path.join(import.meta.dirname, '..')

const wiring: Wiring = {
  version: versionOf(readFileSync(path.join(ROOT, 'package.json'), 'utf8')),
  connectors: { csv, gmail, imap, mailchimp, outlook, stripe },
  shipped: path.join(ROOT, 'config'),
  env: process.env,
  terminal: processTerminal(process.env),
  stopping: stopSignal(),
  // To stderr: stdout is the command's answer.
  makeLog: (level) => pino({ level }, pino.destination({ dest: 2, sync: true })),
  serveHttp: (booted, at) => serveHttp(booted, { ...at, log: booted.hub.log }),
  async runDemo(options) {
    const [{ runDemo }, { openCompany }] = await Promise.all([
      import('./cli/demo/index.ts'),
      import('./sandbox/company/open.ts'),
    ])
    const command = [process.execPath, import.meta.filename] as const
    return runDemo({ ...wiring, openVendors: openCompany, command }, options)
  },
}

// A reader that closes the pipe (`concord runs | head`) has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

// The database driver throws from its timers where the server went away: nothing can be kept then, and nothing is lost.
process.on('uncaughtException', (error) => {
  for (const line of describeError(error).lines) process.stderr.write(`${line}\n`)
  if (process.argv.includes('--debug')) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exit(EXIT.failed)
})

// Whoever still holds the event loop (a kept-alive socket) has nothing left to do.
process.exit(await runCli(process.argv.slice(2), wiring))

/** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(EXIT.stopped)
      stopping.abort()
      if (process.stderr.isTTY) process.stderr.write('\nStopping. Once more ends it at once.\n')
    })
  }
  return stopping.signal
}

function versionOf(packageJson: string): string {
  const parsed: unknown = JSON.parse(packageJson)
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : ''
  return typeof version === 'string' ? version : ''
}
