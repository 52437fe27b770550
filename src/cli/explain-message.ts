import { explainMessage, type MailboxStory, type MessageStory } from '../runtime/mail/explain-message.ts'
import type { Hub } from '../runtime/hub.ts'
import { storyView } from '../runtime/mail/views.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { clip, tame, when, type Colours } from './output.ts'

const WIDEST = 120

/** Why a message was or was not logged, and why it made no contact. */
export async function tellMessage(context: Context, text: string): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const story = await messageCalled(hub, text)
    if (output.json) output.value(storyView(story))
    else for (const line of linesOf(output.paint, story)) output.line(line)
    return EXIT.ok
  })
}

/** What is known of a message; refuses where nothing is. */
export async function messageCalled(hub: Hub, text: string): Promise<MessageStory> {
  const story = await explainMessage(hub, text)
  if (story === null)
    throw badInput(
      `No mailbox has shown a message ${text}`,
      'Give its Message-ID (in its headers), its id at the vendor, or its number on a timeline. `concord mail status` tells how far each mailbox has been read.',
    )
  return story
}

/** `Message 12: Re: Offer`, as it is called in questions and answers. */
export function titleOf(message: NonNullable<MessageStory['message']>): string {
  const subject = message.subject === null ? '' : clip(tame(message.subject), WIDEST)
  return `message ${message.id}${subject === '' ? '' : `, "${subject}"`}`
}

function linesOf(paint: Colours, { message, mailboxes }: MessageStory): readonly string[] {
  const seen = [
    paint.bold('Seen in'),
    ...(mailboxes.length === 0
      ? ['  no mailbox any more']
      : mailboxes.map((mailbox) => tellMailbox(paint, mailbox))),
  ]
  if (message === null) return [`${paint.bold('Not logged')}: nothing of it is stored.`, '', ...seen]
  const title = titleOf(message)
  const others = message.thread.filter(({ id }) => id !== message.id)
  const isKept = message.state === 'kept'
  // What is erased keeps its place, so that it stays out; nobody is shown it.
  const about = (['contact', 'company', 'deal'] as const).flatMap((kind) =>
    message[kind] === null || !isKept ? [] : [`${kind} ${message[kind]}`],
  )
  const missing = isKept ? ', without a Message-ID' : ''
  return [
    `${paint.bold(`${title.slice(0, 1).toUpperCase()}${title.slice(1)}`)}${tellState(paint, message.state)}`,
    `  ${message.direction} ${when(message.at)}${message.messageId === null ? missing : `, Message-ID <${tame(message.messageId)}>`}`,
    `  kept: ${message.kept}`,
    about.length === 0 ? '  on no timeline' : `  on the timeline of ${about.join(', ')}`,
    '',
    ...seen,
    '',
    paint.bold('People'),
    ...(message.people.length === 0 ? ['  none are kept'] : message.people.map(tellPerson)),
    ...(others.length === 0 ? [] : ['', paint.bold('In one thread with')]),
    ...others.map(({ id, at, subject }) =>
      `  ${when(at)}  message ${id}  ${clip(tame(subject ?? ''), WIDEST)}`.trimEnd(),
    ),
  ]
}

const STATES = {
  kept: null,
  withdrawn: 'taken out: no mailbox logs it any more',
  private: 'made private',
  removed: 'removed',
} as const

function tellState(paint: Colours, state: keyof typeof STATES): string {
  const told = STATES[state]
  return told === null ? '' : paint.yellow(` (${told})`)
}

function tellMailbox(paint: Colours, seen: MailboxStory): string {
  const colour = seen.verdict === 'logged' ? paint.green : paint.yellow
  const why = seen.why === '' || seen.why === seen.verdict ? '' : `: ${tame(seen.why)}`
  const waits = seen.waits ? '; it is read again at the next pass' : ''
  return `  ${seen.connection} ${seen.mailbox}, ${when(seen.at)}  ${colour(seen.verdict)}${why}${waits}  ${paint.dim(`(${seen.remoteId})`)}`
}

function tellPerson(person: NonNullable<MessageStory['message']>['people'][number]): string {
  const named = tame(person.name === null ? person.address : `${person.name} <${person.address}>`)
  const who = person.contact === null ? 'no contact' : `contact ${person.contact}`
  return `  ${person.role} ${named}: ${who}${person.why === '' || person.why === who ? '' : `; ${tame(person.why)}`}`
}
