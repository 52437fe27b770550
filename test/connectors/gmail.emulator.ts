import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { freePort } from '../support/port.ts'

const BIN = fileURLToPath(import.meta.resolve('emulate/cli'))

/** It would listen on every interface, and has no flag for it. */
const LOOPBACK = `data:text/javascript,${encodeURIComponent(`
import net from 'node:net'
const { listen } = net.Server.prototype
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, '127.0.0.1', ...rest.filter((item) => typeof item === 'function'))
}`)}`

export type Emulator = { readonly url: string; readonly token: string; close(): Promise<void> }

/** A stand-in for Google that nobody of this project wrote; a text says why it cannot be had. */
export async function startEmulator(
  seed: Record<string, unknown>,
  login: string,
): Promise<Emulator | string> {
  if (!existsSync(BIN)) return 'the package emulate is not installed'
  const folder = await mkdtemp(path.join(os.tmpdir(), 'concord-emulate-'))
  const token = 'emulated-token'
  const file = path.join(folder, 'seed.yaml')
  await writeFile(file, stringify({ tokens: { [token]: { login, scopes: [] } }, google: seed }))
  const port = await freePort()
  const flags = ['--import', LOOPBACK, BIN, '--service', 'google', '-p', String(port), '--seed', file]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  const close = async () => {
    child.kill()
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
    const reply = await fetch(`${url}/gmail/v1/users/me/labels`, {
      headers: { authorization: `Bearer ${token}` },
    }).catch(() => null)
    if (reply?.ok === true) return { url, token, close }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await close()
  return `emulate does not answer: ${said.slice(-500)}`
}
