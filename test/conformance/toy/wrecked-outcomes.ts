import type { Json } from '../../../src/core/json.ts'
import { answering, paged, push, rewritten, tick, withPush, type Sabotages } from './wreck.ts'

const hide = (value: Json): Json => (typeof value === 'string' ? value.replace(/[^ -~]/g, '?') : value)

export const WRECKED_OUTCOMES: Sabotages = [
  ...[
    'the answer is lost is uncertain',
    'a 500 after the commit is uncertain',
    'a 502 after the commit is uncertain',
    'the answer is cut short is uncertain',
    'no answer, nothing done is uncertain or retry',
    'a page of HTML instead is uncertain or retry',
    'a 503, nothing done is uncertain or retry',
  ].map(
    (accident) =>
      [
        'uncertain reported as rejected',
        `a create of which ${accident}, and ends as one object`,
        () =>
          answering((outcome) =>
            outcome.kind === 'uncertain' || outcome.kind === 'retry'
              ? { kind: 'rejected', code: 'failed', field: null, message: outcome.message }
              : outcome,
          ),
      ] as const,
  ),
  [
    'a create that is sent anew when its answer is lost',
    'a create cut off at each of its steps goes on from there and ends as one object',
    () => rewritten((write) => (write.op === 'create' ? { ...write, key: tick() } : write)),
  ],
  [
    'an update of unknown end that is to be retried',
    'an update whose answer is lost is uncertain, and sent again it is done once',
    () =>
      answering((outcome) =>
        outcome.kind === 'uncertain' ? { kind: 'retry', at: null, message: outcome.message } : outcome,
      ),
  ],
  [
    'one doubt that spoils the batch',
    'one lost answer in a batch leaves the other outcomes certain',
    () =>
      withPush({
        async send(io, writes) {
          const outcomes = await push.send(io, writes)
          const doubt = outcomes.find(({ kind }) => kind === 'uncertain')
          return doubt === undefined ? outcomes : outcomes.map(() => doubt)
        },
      }),
  ],
  [
    'an update that opts in',
    'a profile update leaves an opt-out as it is',
    () =>
      rewritten((write) =>
        write.op === 'update' ? { ...write, patch: { ...write.patch, out: null } } : write,
      ),
  ],
  [
    'an opt-out that is dropped',
    'an opt-out arrives, and arrives once',
    () => rewritten((write) => (write.op === 'consent' ? { ...write, patch: {} } : write)),
  ],
  [
    'an opt-out that a profile undoes',
    'an opt-out holds, whatever else is in its batch',
    () =>
      withPush({
        async send(io, writes) {
          const outcomes = await push.send(io, writes)
          const undone = writes
            .filter((write) => write.op === 'update')
            .map((write) => ({ ...write, version: null, patch: { out: null } }))
          if (writes.some(({ op }) => op === 'consent')) await push.send(io, undone)
          return outcomes
        },
      }),
  ],
  [
    'a create that subscribes',
    'nobody is subscribed by a create that does not say so',
    () =>
      rewritten((write) =>
        write.op === 'create' ? { ...write, body: { ...write.body, subscribed: 'yes' } } : write,
      ),
  ],
  [
    'letters that become question marks',
    'odd text arrives as it is, or is refused by the name of its field',
    () =>
      rewritten((write) =>
        write.op === 'create'
          ? {
              ...write,
              body: Object.fromEntries(Object.entries(write.body).map(([key, value]) => [key, hide(value)])),
            }
          : write,
      ),
  ],
  [
    'long text that is cut in silence',
    '10 MB in a field are written whole or refused, and stop nothing after them',
    () =>
      rewritten((write) =>
        write.op === 'create'
          ? { ...write, body: { ...write.body, name: JSON.stringify(write.body['name']).slice(1, 100) } }
          : write,
      ),
  ],
  [
    'an object that cannot be read, left out',
    '10 MB in a field at the vendor are read, or reported with their id, and the others are read',
    () =>
      paged((page) => ({
        ...page,
        observations: page.observations.filter((seen) => JSON.stringify(seen).length < 1_000_000),
      })),
  ],
  [
    'an erasure that is only said',
    'an erased object is gone, its neighbour stays, and erasing it twice is the same',
    () =>
      withPush({
        erase: async (_io, ids) =>
          ids.map((id) => ({ kind: 'applied', observation: { kind: 'absent', id } }) as const),
      }),
  ],
  [
    'an erasure of what is gone that fails',
    'an erased object is gone, its neighbour stays, and erasing it twice is the same',
    () => {
      const gone = new Set<string>()
      return withPush({
        async erase(io, ids) {
          const again = ids.some((id) => gone.has(id))
          for (const id of ids) gone.add(id)
          return again ? ids.map(() => ({ kind: 'stale' }) as const) : (push.erase?.(io, ids) ?? [])
        },
      })
    },
  ],
]
