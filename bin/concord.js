#!/usr/bin/env node
// Plain JavaScript on purpose: it must start on any Node. Node 24 runs src/main.ts as it is; where this Node
// is older, the one npm installed beside us takes over.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const main = new URL('../src/main.ts', import.meta.url)

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  process.argv[1] = fileURLToPath(main)
  await import(main.href)
} else {
  const newer = findNewerNode()
  if (newer === null) {
    console.error(
      `Concord needs Node ${NEEDED}, and this is ${process.version}. ` +
        `Run "npm ci" without --omit=optional (it installs one beside Concord), or install Node ${NEEDED}.`,
    )
    process.exit(1)
  }
  handOver(newer)
}

function findNewerNode() {
  const platform = `node-${process.platform}-${process.arch}`
  const places = [
    `../node_modules/${platform}/bin/node`,
    '../node_modules/.bin/node',
    `../../${platform}/bin/node`,
  ]
  const found = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((file) => existsSync(file))
  return found ?? null
}

/** Runs the same command there, passes signals on, and ends as it ended. */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'])
    process.on(signal, () => child.kill(signal))
  // A terminal sends Ctrl-C to both; a second one from here would cut a graceful stop short.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
  child.once('error', (error) => {
    console.error(`Cannot run ${node}: ${error.message}`)
    process.exit(1)
  })
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
