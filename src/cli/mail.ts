import type { Source } from '../core/model.ts'
import {
  makePrivate,
  removeMessage,
  restoreMessage,
  type ActionOutcome,
} from '../runtime/mail/message-actions.ts'
import type { Hub } from '../runtime/hub.ts'
import { confirmed } from './connections.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, type ExitCode } from './exit.ts'
import { messageCalled, titleOf } from './explain-message.ts'

type Act = {
  readonly work: (hub: Hub, id: number, by: Source) => Promise<ActionOutcome>
  /** What is asked beforehand; null: nothing is lost by it. */
  readonly question: ((title: string) => string) | null
  readonly done: string
  readonly already: string
}

const ACTS = {
  private: {
    work: makePrivate,
    question: (title) =>
      `Make ${title} private? Its text, subject and people are erased here, and it stays out, whichever mailbox shows it. Nothing is changed in the mailboxes.`,
    done: 'is private now: it is on no timeline, and nothing of it is kept',
    already: 'is private already',
  },
  remove: {
    work: removeMessage,
    question: (title) =>
      `Remove ${title}? It is erased here, and not logged again, whichever mailbox shows it. Nothing is changed in the mailboxes.`,
    done: 'is removed, and is not logged again',
    already: 'is removed already',
  },
  restore: {
    work: restoreMessage,
    question: null,
    done: 'is read again at the next pass, and logged if the rules let it',
    already: 'was neither private nor removed',
  },
} satisfies Record<string, Act>

/** Makes one message private, removes it, or takes back either. `text`: anything `explain message` takes. */
export async function withdraw(
  context: Context,
  name: keyof typeof ACTS,
  text: string,
  { yes }: { readonly yes?: boolean },
): Promise<ExitCode> {
  const act: Act = ACTS[name]
  return withHub(context, async (hub) => {
    const { message } = await messageCalled(hub, text)
    if (message === null)
      throw badInput(
        `No mailbox logged the message ${text}, so nothing of it is here`,
        '`concord explain message ID` tells why. `blocked:` and `privateLabels:` keep mail out beforehand.',
      )
    const title = titleOf(message)
    if (act.question !== null) await confirmed(context, act.question(title), yes)
    const outcome = await act.work(hub, message.id, context.actor)
    if (outcome === 'unknown') throw badInput(`There is no message ${message.id} any more`)
    if (context.output.json) context.output.value({ id: message.id, outcome })
    else context.output.line(`Message ${message.id} ${outcome === 'done' ? act.done : act.already}.`)
    return EXIT.ok
  })
}
