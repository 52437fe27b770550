import { isObject, same, type Json, type JsonObject } from '../../core/json.ts'
import { type Io, outcomeOf, type Write } from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { CONCURRENT } from './api.ts'
import { difference, isProfile, type Profile, profileOf } from './profile.ts'
import { memberPath, readMember } from './read.ts'
import type { Target } from './settings.ts'
import { profileCall, type Step } from './step.ts'
import type { Member } from './wire.ts'

type UpdateWrite = Write & { readonly op: 'update' }

/**
 * Mailchimp has no conditional writes, so each contact is read just before: what was edited there since the hub last
 * looked is not written over, but taken in first. Edits of other fields do not stand in the way.
 */
export async function planUpdates(
  io: Io,
  target: Target,
  updates: readonly UpdateWrite[],
): Promise<ReadonlyMap<Write, Step>> {
  const steps = new Map<Write, Step>()
  const looked: { readonly write: UpdateWrite; readonly profile: Profile }[] = []
  for (const write of updates) {
    const profile = profileOf(write.patch, write.observed)
    if (isProfile(profile)) looked.push({ write, profile })
    else steps.set(write, { kind: 'done', outcome: profile })
  }
  const found = await inParallel(looked, CONCURRENT, async ({ write }) => {
    const [now] = await Promise.allSettled([readMember(io, target, write.id)])
    return now
  })
  for (const [i, { write, profile }] of looked.entries()) {
    const now = found[i]
    if (now?.status === 'fulfilled') steps.set(write, planUpdate(target, write, profile, now.value))
    else steps.set(write, { kind: 'done', outcome: outcomeOf(now?.reason) })
  }
  return steps
}

function planUpdate(target: Target, write: UpdateWrite, profile: Profile, now: Member | null): Step {
  if (now === null || !isAsSeen(write.patch, write.observed, now.body))
    return { kind: 'done', outcome: { kind: 'stale' } }
  const changes = difference(profile.fields, now.body)
  if (Object.keys(changes).length === 0) return { kind: 'tags', id: write.id, profile }
  const call = profileCall('PATCH', memberPath(target, write.id), write.key, changes)
  return { kind: 'call', profile, call }
}

/** Whether everything that the patch speaks of still says what it said, or says what it is to say. */
function isAsSeen(patch: JsonObject, seen: Json | undefined, now: Json | undefined): boolean {
  return Object.entries(patch).every(([key, value]) => {
    const [before, after] = [part(seen, key), part(now, key)]
    return isObject(value) && isObject(after)
      ? isAsSeen(value, before, after)
      : same(before, after) || same(value ?? '', after)
  })
}

const part = (of: Json | undefined, key: string): Json | undefined => (isObject(of) ? of[key] : undefined)
