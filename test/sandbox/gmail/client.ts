import { z } from 'zod'
import { sandboxFetch } from '../../../src/sandbox/faults.ts'
import { createGmailSandbox, type GmailOptions } from '../../../src/sandbox/gmail/index.ts'
import { type Letter, letter, person } from '../../../src/sandbox/mail/letter.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'

export const ANN = 'ann@us.example'
export const BO = 'bo@us.example'
export const EVE = person('eve@client.example', 'Eve')
export const START = Date.UTC(2026, 10, 22, 9)

const message = z.object({ id: z.string(), threadId: z.string(), labelIds: z.array(z.string()).optional() })
const labelChange = z.array(z.object({ message, labelIds: z.array(z.string()) })).optional()
const reply = z.looseObject({
  historyId: z.string().optional(),
  nextPageToken: z.string().optional(),
  messages: z.array(message).optional(),
  history: z
    .array(
      z.object({
        id: z.string(),
        messages: z.array(message),
        messagesAdded: z.array(z.object({ message })).optional(),
        messagesDeleted: z.array(z.object({ message })).optional(),
        labelsAdded: labelChange,
        labelsRemoved: labelChange,
      }),
    )
    .optional(),
})

/** A sandbox with two mailboxes, a clock that stands still, and calls as one of their owners. */
export function gmail(options: Partial<GmailOptions> = {}) {
  const clock = { now: START }
  const sandbox = createGmailSandbox({
    now: () => clock.now,
    random: seeded(7),
    mailboxes: [
      { address: ANN, name: 'Ann Lee', isAdmin: true, aliases: ['sales@us.example'] },
      { address: BO, name: 'Bo' },
    ],
    ...options,
  })
  const fetch = sandboxFetch(sandbox.app)
  const send = async (path: string, init: RequestInit) => {
    const response = await fetch(`https://gmail.googleapis.com${path}`, init)
    const text = await response.text()
    return { status: response.status, body: reply.parse(text === '' ? {} : JSON.parse(text)), response }
  }
  const as =
    (token: string) =>
    (path: string, body?: object, headers: Record<string, string> = {}) =>
      send(path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
  const caller = as(sandbox.signIn(ANN).accessToken)
  const get = (path: string) => caller(`/gmail/v1/users/me${path}`)
  const post = (path: string, body: object) => caller(`/gmail/v1/users/me${path}`, body)
  const form = (path: string, fields: Record<string, string>) =>
    send(path, { method: 'POST', body: new URLSearchParams(fields) })
  const cursor = async () => (await get('/profile')).body.historyId ?? ''
  const since = async (start: string, more = '') =>
    (await get(`/history?startHistoryId=${start}${more}`)).body.history ?? []
  return { ...sandbox, clock, fetch, as, get, post, form, cursor, since }
}

let count = 0

/** A letter from a customer to Ann. */
export function mail(fields: Partial<Letter> = {}): Letter {
  count += 1
  return letter({
    from: EVE,
    to: [person(ANN)],
    subject: 'Offer',
    text: 'Hello',
    date: START,
    messageId: `m${count}@client.example`,
    ...fields,
  })
}
