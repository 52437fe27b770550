import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import type { Cluster } from './cluster.ts'

/** A free loopback port: the one used last if it can be had, so that attached processes may reconnect. */
export async function choosePort(cluster: Cluster): Promise<number> {
  const file = path.join(cluster.home, 'port')
  const last = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10)
  const port = (Number.isInteger(last) ? await listenOnce(last) : null) ?? (await listenOnce(0))
  if (port === null) throw new Error('No free port on 127.0.0.1')
  await writeFile(file, `${port}\n`)
  return port
}

/** The port it could listen on (0 asks for any), or null when it is taken. */
export function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(null))
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null))
    })
  })
}
