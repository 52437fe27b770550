import { alarmOf, mailAlarms, type MailAlarm } from '../runtime/mail/alarms.ts'
import { mailProgress, type MailboxProgress } from '../runtime/mail/progress.ts'
import { progressView } from '../runtime/mail/views.ts'
import { withHub, type Context } from './context.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { ago, clip, number, quiet, roughly, tame, type Colours, type Output } from './output.ts'

/** How far each mailbox has been read, and what came of it. */
export async function mailStatus(context: Context): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const [mailboxes, alarms] = [await mailProgress(hub), await mailAlarms(hub)]
    if (output.json) output.value(mailboxes.map((mailbox) => progressView(mailbox, alarms)))
    else if (mailboxes.length > 0) showMailboxes(output, mailboxes, alarms, hub.clock.now())
    else {
      const able = hub.mails.map((mail) => mail.connection)
      output.line('No mailbox is known yet.')
      if (able.length > 0)
        output.line(
          `The configuration reads mail of ${able.join(', ')}: \`concord connections add NAME\`, then \`concord sync NAME\` finds the mailboxes.`,
        )
    }
    return isStuck(mailboxes, alarms) ? EXIT.failed : EXIT.ok
  })
}

/** Whether a mailbox was not read when it was last tried, or has not been read for too long. */
export function isStuck(mailboxes: readonly MailboxProgress[], alarms: readonly MailAlarm[]): boolean {
  return mailboxes.some((mailbox) => mailbox.problem !== null || alarmOf(mailbox, alarms) !== undefined)
}

/** A table of mailboxes. */
export function showMailboxes(
  { paint, table }: Output,
  mailboxes: readonly MailboxProgress[],
  alarms: readonly MailAlarm[],
  now: number,
): void {
  table(
    ['mailbox', 'of', 'older mail', 'logged', 'filtered', 'quarantined', 'checked', 'last news', ''],
    mailboxes.map((mailbox) => [
      mailbox.mailbox,
      mailbox.connection,
      olderMail(mailbox),
      quiet(mailbox.logged),
      quiet(mailbox.filtered),
      quiet(mailbox.quarantined),
      ago(mailbox.checkedAt, now),
      ago(mailbox.movedAt, now),
      stateOf(paint, mailbox, alarmOf(mailbox, alarms)),
    ]),
    [3, 4, 5],
  )
}

function stateOf(paint: Colours, { problem, reviewing }: MailboxProgress, alarm?: MailAlarm): string {
  const told = [
    ...(alarm === undefined ? [] : [paint.red(`alarm: see \`concord inbox show ${alarm.item}\``)]),
    ...(problem === null ? [] : [paint.red(clip(tame(problem), 100))]),
    ...(reviewing ? [paint.yellow('changed rules are being applied')] : []),
  ]
  return told.join('; ')
}

/** How far the mail from before has been read, and no more than is known about the rest. */
export function olderMail({ state, listed, total, perMinute, leftMs }: MailboxProgress): string {
  switch (state) {
    case 'new':
      return 'not begun'
    case 'current':
      return 'all read'
    case 'lost':
      return 'the connection does not show it any more'
    case 'off':
      return 'off: it is not read'
    case 'backfill': {
      const pace = perMinute === null ? '' : `, ${number(perMinute)} a minute`
      if (total === null || total < listed)
        return `${number(listed)} so far${pace}; how many there are is unknown`
      const share = total === 0 ? 99 : Math.min(99, Math.floor((100 * listed) / total))
      const left = leftMs === null ? 'too early to say how long' : `about ${roughly(leftMs)} left`
      return `${share}% (${number(listed)} of about ${number(total)}${pace}), ${left}`
    }
  }
}
