import type { JsonObject } from '../../core/json.ts'
import { z } from 'zod'
import { addApiToken } from '../../runtime/tokens.ts'
import { NotSo } from './scene.ts'
import type { World } from './world.ts'

const tokens = new WeakMap<World, Promise<string>>()
const object = z.record(z.string(), z.json())

/** Asks the hub over HTTP, as any other program would; null for what is not there. */
export async function askApi(
  world: World,
  path: string,
  change?: { readonly method: 'PATCH'; readonly body: JsonObject },
): Promise<JsonObject | null> {
  const token = tokens.get(world) ?? newToken(world)
  tokens.set(world, token)
  const answer = await fetch(`${world.api}/api/${path}`, {
    headers: { authorization: `Bearer ${await token}`, 'content-type': 'application/json' },
    ...(change === undefined ? {} : { method: change.method, body: JSON.stringify(change.body) }),
  })
  if (answer.status === 404) return null
  if (!answer.ok) throw new NotSo(`The API answered ${answer.status}: ${await answer.text()}`)
  return object.parse(await answer.json())
}

async function newToken({ hub }: World): Promise<string> {
  const made = await addApiToken(hub.db.sql, 'demo')
  if (made === undefined) throw new NotSo('There is a token called demo already.')
  return made.token
}
