import type { Connector, Io } from '../../../src/connectors/connector.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { failureFrom, need, short, want, wantFix, wantSame } from '../verdict.ts'

type Client = { readonly connector: Connector; readonly io: Io }
type Secrets = Readonly<Record<string, string>>

/** What both suites have of a connection, whatever it reads. */
type Account = Client & {
  readonly stand: {
    readonly badSecrets?: readonly Secrets[]
    readonly badSettings?: readonly { readonly field: string; readonly settings: JsonObject }[]
  }
  restarted(): Client
  with(over: { readonly secrets?: Secrets; readonly settings?: JsonObject }): Client
}

export async function wantOneAccount(rig: Account): Promise<void> {
  const first = await rig.connector.check(rig.io)
  want(first.accountId !== '' && first.label !== '', `check gave ${short(first)}, without an id or a label`)
  const again = rig.restarted()
  wantSame(await again.connector.check(again.io), first, 'check answered differently the second time')
}

export async function wantSecretsRefused(rig: Account): Promise<void> {
  for (const secrets of need(rig.stand.badSecrets, 'there are no credentials to get wrong')) {
    const { connector, io } = rig.with({ secrets })
    const what = `check with the credentials ${short(Object.keys(secrets))}`
    const failure = await failureFrom(() => connector.check(io), what)
    wantSame(failure.kind, 'auth', `${what} should fail as auth (it said "${failure.message}")`)
    wantFix(failure.message, what)
    for (const secret of Object.values(secrets))
      want(secret.length < 4 || !failure.message.includes(secret), `${what}: the message shows a secret`)
  }
}

/** `over`: the working settings that the wrong ones go on top of. */
export async function wantSettingsRefused(rig: Account, over: JsonObject): Promise<void> {
  for (const { field, settings } of need(rig.stand.badSettings, 'there are no settings to get wrong')) {
    const { connector, io } = rig.with({ settings: { ...over, ...settings } })
    const what = `check with the settings ${short(settings)}`
    const failure = await failureFrom(() => connector.check(io), what)
    want(failure.kind === 'rejected', `${what} should fail as rejected, not as ${failure.kind}`)
    wantSame(failure.field, field, `${what} should name the setting in \`field\``)
    wantFix(failure.message, what)
  }
}
