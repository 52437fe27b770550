import type { Bench } from '../conformance/bench.ts'
import { openRig, type Rig } from '../conformance/rig.ts'

/** One request as it left. */
export type Sent = {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly contentType: string | null
  readonly body: string
}

export async function sentOf(request: Request): Promise<Sent> {
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    contentType: request.headers.get('content-type'),
    body: await request.clone().text(),
  }
}

export function part<T>(given: T | null | undefined): T {
  if (given === undefined || given === null) throw new Error('The scenario lacks it')
  return given
}

export type Recording = { readonly sent: Sent[]; rig(resource: string): Rig; close(): Promise<void> }

/** A bench's vendor, with every request to it kept. */
export async function record(bench: Bench): Promise<Recording> {
  const stand = await bench.open({ served: false })
  const { transport } = stand
  if (transport === undefined) throw new Error(`${bench.name} makes no requests`)
  const sent: Sent[] = []
  const recording: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    sent.push(await sentOf(request))
    return transport(request)
  }
  return {
    sent,
    rig: (resource) => openRig(bench, { ...stand, transport: recording }, resource),
    close: async () => stand.close?.(),
  }
}
