import { VendorError } from '../../../src/connectors/connector.ts'
import { rolodex } from './connector.ts'
import { hooks, part, people, tick, withHooks, withPeople, type Sabotages } from './wreck.ts'

export const WRECKED_REPLIES: Sabotages = [
  [
    'a 5xx on a write that counts as undone',
    'classify makes of every status what it means, whatever is in the body',
    () => ({
      ...rolodex,
      classify: (reply, now) =>
        ({ ...rolodex.classify(reply, now), ...(reply.status >= 500 ? { committed: 'no' } : {}) }) as never,
    }),
  ],
  [
    'a reply quoted in full',
    'classify makes of every status what it means, whatever is in the body',
    () => ({
      ...rolodex,
      classify: (reply, now) => ({ ...rolodex.classify(reply, now), message: `It said: ${reply.body}` }),
    }),
  ],
  [
    'a Retry-After read as a number alone',
    'Retry-After is heeded in both forms, and a bad one is no reason to hurry',
    () => ({
      ...rolodex,
      classify(reply, now) {
        const failure = rolodex.classify(reply, now)
        const seconds = Number.parseInt(reply.headers.get('retry-after') ?? '1', 10)
        return failure.kind === 'throttled' ? { ...failure, retryAt: now + (seconds || 0) * 1000 } : failure
      },
    }),
  ],
  [
    'HTML that ends in a SyntaxError',
    'a read that is answered with nonsense fails as a failure, and works again afterwards',
    () =>
      withPeople({
        async pull(io, from) {
          const reply = await io.fetch(`${JSON.stringify(io.settings['baseUrl']).slice(1, -1)}/me`, {
            headers: { authorization: `Bearer ${io.secrets['apiKey']}` },
          })
          JSON.parse(await reply.text())
          return people.pull(io, from)
        },
      }),
  ],
  [
    'a 429 that is no reason to wait',
    'a create that is throttled waits as long as it is told, and then makes one object',
    () => ({
      ...rolodex,
      classify(reply, now) {
        const failure = rolodex.classify(reply, now)
        return failure.kind === 'throttled' ? { ...failure, retryAt: now } : failure
      },
    }),
  ],
  [
    'a hint at somebody else',
    'a webhook hints at an object that fetch then shows',
    () =>
      withHooks({
        async receive(raw, secret, now, context) {
          const receipt = await hooks.receive(raw, secret, now, context)
          return receipt.kind === 'hints'
            ? { ...receipt, hints: [{ resource: 'people', id: 'p-none' }] }
            : receipt
        },
      }),
  ],
  [
    'a signature that nobody looks at',
    'a webhook with a wrong, empty or missing secret is refused',
    () => withHooks({ receive: () => ({ kind: 'hints', eventId: tick(), hints: [], status: 200 }) }),
  ],
  [
    'a signature over parsed JSON',
    'a webhook whose bytes were changed is refused',
    () =>
      withHooks({
        async receive(raw, secret, now, context) {
          const receipt = await hooks.receive(raw, secret, now, context)
          if (receipt.kind !== 'refused' || secret === '') return receipt
          return { kind: 'hints', eventId: 'evt', hints: [], status: 200 }
        },
      }),
  ],
  [
    'a time that nobody looks at',
    'a webhook from long ago, or from the future, is refused',
    () =>
      withHooks({
        receive: (raw, secret, _, context) =>
          hooks.receive(raw, secret, Number((raw.headers.get('x-signature') ?? '').split('.')[0]), context),
      }),
  ],
  [
    'an event id of its own for each delivery',
    'a delivery repeated is the same event, another delivery another',
    () =>
      withHooks({
        async receive(raw, secret, now, context) {
          const receipt = await hooks.receive(raw, secret, now, context)
          return receipt.kind === 'hints' ? { ...receipt, eventId: tick() } : receipt
        },
      }),
  ],
  [
    'one event id for all',
    'a delivery repeated is the same event, another delivery another',
    () =>
      withHooks({
        async receive(raw, secret, now, context) {
          const receipt = await hooks.receive(raw, secret, now, context)
          return receipt.kind === 'hints' ? { ...receipt, eventId: 'event' } : receipt
        },
      }),
  ],
  [
    'an unknown event that is refused',
    'an event of an unknown kind is accepted, without a hint',
    () =>
      withHooks({
        async receive(raw, secret, now, context) {
          const receipt = await hooks.receive(raw, secret, now, context)
          const isKnown = receipt.kind !== 'hints' || receipt.hints.length > 0
          return isKnown ? receipt : { kind: 'refused', status: 400, reason: 'an unknown event' }
        },
      }),
  ],
  [
    'a body that is parsed before it is trusted',
    'nonsense never throws, and never hints',
    () =>
      withHooks({
        async receive(raw, secret, now, context) {
          JSON.parse(new TextDecoder().decode(raw.body))
          return hooks.receive(raw, secret, now, context)
        },
      }),
  ],
  [
    'a subscription more at every start',
    'subscribing twice leaves one subscription, which works',
    () =>
      withHooks({
        async subscribe(io, url, secret) {
          await hooks.subscribe?.(io, `${url}?${tick()}`, secret)
          return part(await hooks.subscribe?.(io, url, secret))
        },
      }),
  ],
  [
    'a limit that nobody declared',
    'the declared limits keep the vendor from ever answering 429',
    () => ({
      ...rolodex,
      limits: [{ concurrent: 100 }],
    }),
  ],
  [
    'a request quoted in a failure',
    'no secret shows in a failure, an outcome or the log, even if the vendor repeats it',
    () => ({
      ...rolodex,
      check: (io) =>
        Promise.reject(new VendorError({ kind: 'auth', message: `The key ${io.secrets['apiKey']} fails` })),
    }),
  ],
  [
    'a key quoted in a failure',
    'no secret shows when the credentials are wrong',
    () => ({
      ...rolodex,
      check: (io) =>
        Promise.reject(new VendorError({ kind: 'auth', message: `The key ${io.secrets['apiKey']} fails` })),
    }),
  ],
]
