import { Hono, type Context } from 'hono'
import { z } from 'zod'
import type { Hub } from '../runtime/hub.ts'
import { explainMessage } from '../runtime/mail/explain-message.ts'
import {
  makePrivate,
  removeMessage,
  restoreMessage,
  type ActionOutcome,
} from '../runtime/mail/message-actions.ts'
import type { Env } from './env.ts'
import { storyView } from '../runtime/mail/views.ts'
import { problem } from './problem.ts'
import { readQuery } from './query.ts'

/** RFC 5322 lets a line of a header have 998 characters; vendors' ids are shorter. */
const LONGEST_ID = 1_000
const asking = z.object({
  id: z
    .string('Give the message in ?id=: its Message-ID, its id at the vendor, or its record.')
    .min(1, 'id is empty.')
    .max(LONGEST_ID, `id has more than ${LONGEST_ID} characters.`)
    .regex(/^\P{Cc}*$/u, 'id has a character that no id has.'),
})

const DONE = {
  private: 'The message is private: it is on no timeline, and nothing of it is kept.',
  remove: 'The message is removed, and is not logged again.',
  restore: 'The message is read again at the next pass, and logged if the rules let it.',
} as const
const ALREADY = {
  private: 'The message is private already.',
  remove: 'The message is removed already.',
  restore: 'The message is neither private nor removed.',
} as const

/** Why a message was or was not logged, and what a person may do about one that was. */
export function messageRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/explain', async (c) => {
    const read = readQuery(c, asking)
    if ('refused' in read) return read.refused
    const story = await explainMessage(hub, read.query.id)
    return story === null ? problem(c, 404, 'No mailbox has shown this message.') : c.json(storyView(story))
  })

  const act = async (
    c: Context<Env>,
    name: keyof typeof DONE,
    work: (hub: Hub, id: number, by: string) => Promise<ActionOutcome>,
  ): Promise<Response> => {
    const outcome = await work(hub, Number(c.req.param('id')), `api:${c.get('caller')}`)
    switch (outcome) {
      case 'unknown':
        return problem(c, 404, 'No logged message has this id. Timelines have the ids of messages.')
      case 'already':
        return c.json({ message: ALREADY[name] })
      case 'done':
        return c.json({ message: DONE[name] })
    }
  }
  const one = '/:id{[1-9][0-9]{0,14}}'
  app.post(`${one}/private`, (c) => act(c, 'private', makePrivate))
  app.post(`${one}/remove`, (c) => act(c, 'remove', removeMessage))
  app.post(`${one}/restore`, (c) => act(c, 'restore', restoreMessage))
  return app
}
