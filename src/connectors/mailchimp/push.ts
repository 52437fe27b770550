import {
  type CreateWrite,
  type Io,
  type Observation,
  type Outcome,
  outcomeOf,
  type Write,
} from '../connector.ts'
import { inParallel } from '../in-parallel.ts'
import { CONCURRENT } from './api.ts'
import { archive } from './archive.ts'
import { stateConsent } from './consent.ts'
import { planCreates } from './create.ts'
import { type Answer, exchange, type MemberCall } from './exchange.ts'
import type { Sleep } from './index.ts'
import { addressHash, observe } from './member.ts'
import { readMember } from './read.ts'
import type { Profile } from './profile.ts'
import { type Target, targetOf } from './settings.ts'
import type { Step } from './step.ts'
import { setTags } from './tags.ts'
import { planUpdates } from './update.ts'
import type { Member } from './wire.ts'

/**
 * Opt-outs first, then opt-ins, profiles and archiving: nobody gets mail for being processed late. A failure that
 * concerns the connection is thrown once every write of the same kind was answered.
 */
export async function send(io: Io, writes: readonly Write[], sleep: Sleep): Promise<readonly Outcome[]> {
  const target = targetOf(io)
  const outcomes = new Map<Write, Outcome>()
  const each = async <W extends Write>(some: readonly W[], act: (write: W) => Promise<Outcome>) => {
    const answers = await inParallel(some, CONCURRENT, async (write) => {
      const [answer] = await Promise.allSettled([act(write)])
      return { write, answer }
    })
    for (const { write, answer } of answers) {
      outcomes.set(write, answer.status === 'fulfilled' ? answer.value : outcomeOf(answer.reason))
    }
  }
  const consents = writes.filter((write) => write.op === 'consent')
  for (const state of ['out', 'in'] as const) {
    await each(
      consents.filter((write) => write.state === state),
      (write) => stateConsent(io, target, write),
    )
  }

  const creates = writes.filter((write) => write.op === 'create')
  const updates = writes.filter((write) => write.op === 'update')
  const steps = new Map<Write, Step>([
    ...(await planCreates(io, target, creates, sleep)),
    ...(await planUpdates(io, target, updates)),
  ])
  const calls = [...steps.values()].flatMap((step) => (step.kind === 'call' ? [step.call] : []))
  const answers = await exchange(io, target, calls, sleep)
  const answered = new Map(calls.map((call, i) => [call, answers[i]]))
  await each([...steps.keys()], (write) => finish(io, target, steps.get(write), answered))

  const archives = writes.filter((write) => write.op === 'archive')
  await each(archives, (write) => archive(io, target, write.id))
  return writes.map((write) => outcomes.get(write) ?? impossible())
}

/** By the hash of the address. Also finds who was there before: a create is an upsert. */
export async function find(
  io: Io,
  creates: readonly CreateWrite[],
): Promise<readonly (Observation | null)[]> {
  const target = targetOf(io)
  const found = await inParallel(creates, CONCURRENT, async ({ body }) => {
    const email = body['email_address']
    if (typeof email !== 'string' || email.trim() === '') return () => null
    const [member] = await Promise.allSettled([readMember(io, target, addressHash(email))])
    return () => {
      if (member.status === 'rejected') throw member.reason
      return member.value === null ? null : observe(member.value)
    }
  })
  return found.map((answer) => answer())
}

/** Throws what the write met. */
async function finish(
  io: Io,
  target: Target,
  step: Step | undefined,
  answered: ReadonlyMap<MemberCall, Answer | undefined>,
): Promise<Outcome> {
  switch (step?.kind) {
    case 'done':
      return step.outcome
    case 'tags':
      return withTags(io, target, await readMember(io, target, step.id), step.profile)
    case 'call': {
      const answer = answered.get(step.call)
      if (answer?.kind === 'failed') throw answer.error
      return withTags(io, target, answer?.member ?? impossible(), step.profile)
    }
    case undefined:
      return impossible()
  }
}

async function withTags(io: Io, target: Target, member: Member | null, profile: Profile): Promise<Outcome> {
  if (member === null) return { kind: 'stale' }
  const after = profile.tags === null ? member : await setTags(io, target, member, profile.tags)
  return after === null ? { kind: 'stale' } : { kind: 'applied', observation: observe(after) }
}

function impossible(): never {
  throw new Error('A write was left without an outcome')
}
