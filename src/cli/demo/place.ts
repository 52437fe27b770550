import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { failure } from '../exit.ts'
import type { DemoWiring } from './wiring.ts'

const NOTE = 'demo.json'
const noteSchema = z.object({ api: z.string() })
const ANSWER_MS = 1_000

/** Where a demo keeps its database and exports: empty at first. Refuses while another demo runs there. */
export async function freshPlace({ env }: DemoWiring): Promise<string> {
  const dir = path.join(env['CONCORD_DIR']?.trim() || '.concord', 'demo')
  if (await isAlive(dir)) {
    throw failure(
      `A demo is running in ${dir} already.`,
      'Stop it with Ctrl-C, or give this one a place of its own: CONCORD_DIR=somewhere npm run demo.',
    )
  }
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  return dir
}

/** Tells other demos that this place is in use, for as long as `api` answers. */
export async function occupy(dir: string, api: string): Promise<void> {
  await writeFile(path.join(dir, NOTE), `${JSON.stringify({ api })}\n`)
}

async function isAlive(dir: string): Promise<boolean> {
  try {
    const note = noteSchema.parse(JSON.parse(await readFile(path.join(dir, NOTE), 'utf8')))
    const answer = await fetch(`${note.api}/healthz`, { signal: AbortSignal.timeout(ANSWER_MS) })
    return answer.ok
  } catch {
    // No note, or nobody answers: whoever was here is gone.
    return false
  }
}
