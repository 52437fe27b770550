import { failureFrom, need, short, want, wantFix, wantSame } from '../verdict.ts'
import type { MailCheck } from './mail-check.ts'

export const MAIL_ACCESS: readonly MailCheck[] = [
  {
    name: 'check names the account of the mail, the same each time',
    contract: 'Connector.check: the accountId is what tells two connections to one account apart.',
    async run(rig) {
      const first = await rig.connector.check(rig.io)
      want(
        first.accountId !== '' && first.label !== '',
        `check gave ${short(first)}, without an id or a label`,
      )
      const again = rig.restarted()
      wantSame(await again.connector.check(again.io), first, 'check answered differently the second time')
    },
  },
  {
    name: 'bad credentials of mail fail check as auth, with a message that says what to do',
    contract: 'Connector.check: "Throws a VendorError of kind auth where they do not [work]".',
    async run(rig) {
      for (const secrets of need(rig.stand.badSecrets, 'there are no credentials to get wrong')) {
        const { connector, io } = rig.with({ secrets })
        const what = `check with the credentials ${short(Object.keys(secrets))}`
        const failure = await failureFrom(() => connector.check(io), what)
        wantSame(failure.kind, 'auth', `${what} should fail as auth (it said "${failure.message}")`)
        wantFix(failure.message, what)
        for (const secret of Object.values(secrets))
          want(secret.length < 4 || !failure.message.includes(secret), `${what}: the message shows a secret`)
      }
    },
  },
  {
    name: 'bad settings of mail are refused by the name of the setting',
    contract: 'Failure of kind rejected: `field` names what to correct, here the setting of the connection.',
    async run(rig) {
      for (const { field, settings } of need(rig.stand.badSettings, 'there are no settings to get wrong')) {
        const { connector, io } = rig.with({ settings: { ...rig.stand.settings, ...settings } })
        const what = `check with the settings ${short(settings)}`
        const failure = await failureFrom(() => connector.check(io), what)
        want(failure.kind === 'rejected', `${what} should fail as rejected, not as ${failure.kind}`)
        wantSame(failure.field, field, `${what} should name the setting in \`field\``)
        wantFix(failure.message, what)
      }
    },
  },
]
