import { wantOneAccount, wantSecretsRefused, wantSettingsRefused } from './account.ts'
import type { MailCheck } from './mail-check.ts'

export const MAIL_ACCESS: readonly MailCheck[] = [
  {
    name: 'check names the account of the mail, the same each time',
    contract: 'Connector.check: the accountId is what tells two connections to one account apart.',
    async run(rig) {
      await wantOneAccount(rig)
    },
  },
  {
    name: 'bad credentials of mail fail check as auth, with a message that says what to do',
    contract: 'Connector.check: "Throws a VendorError of kind auth where they do not [work]".',
    async run(rig) {
      await wantSecretsRefused(rig)
    },
  },
  {
    name: 'bad settings of mail are refused by the name of the setting',
    contract: 'Failure of kind rejected: `field` names what to correct, here the setting of the connection.',
    async run(rig) {
      await wantSettingsRefused(rig, rig.stand.settings)
    },
  },
]
