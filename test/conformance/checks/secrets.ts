import { inspect } from 'node:util'
import { failureOf } from '../../../src/connectors/connector.ts'
import { list, type Rig } from '../rig.ts'
import { need, want } from '../verdict.ts'
import type { Check } from './check.ts'
import { createOf } from './writes.ts'

const CONTRACT = 'Io.secrets: "Never logged". Messages reach the inbox, the log and the terminal.'

export const SECRETS: readonly Check[] = [
  {
    name: 'no secret shows in a failure, an outcome or the log, even if the vendor repeats it',
    contract: CONTRACT,
    per: 'connector',
    async run(rig) {
      need(rig.stand.transport, 'the connector makes no requests')
      for (const status of [200, 400, 401, 403, 429, 500]) {
        const told = rig.with({ transport: repeating(status) })
        const texts = [
          await textOf(() => told.connector.check(told.io)),
          await textOf(() => told.resource.discover(told.io)),
          await textOf(() => list(told)),
          await textOf(() => told.resource.fetch(told.io, ['one'])),
          await textOf(async () => told.resource.push?.send(told.io, [createOf(told, 1)])),
        ]
        for (const text of [...texts, told.log.join('\n')]) wantClean(told, text, `answered with ${status}`)
      }
    },
  },
  {
    name: 'no secret shows when the credentials are wrong',
    contract: CONTRACT,
    per: 'connector',
    async run(rig) {
      for (const secrets of need(rig.stand.badSecrets, 'there are no credentials to get wrong')) {
        const wrong = rig.with({ secrets })
        const text = await textOf(() => wrong.connector.check(wrong.io))
        for (const shown of [text, wrong.log.join('\n')]) wantClean(wrong, shown, 'with wrong credentials')
      }
    },
  },
]

/** A vendor, or a proxy before it, that puts what it was sent into what it answers. */
function repeating(status: number): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const said = [...request.headers].map((pair) => pair.join(': ')).join('; ')
    const body = {
      title: said,
      detail: said,
      message: said,
      error: { message: said, code: said, param: said },
    }
    return Response.json(body, { status })
  }
}

/** All that a log or a terminal could show of how an act ended, causes included. */
async function textOf(act: () => Promise<unknown>): Promise<string> {
  try {
    return inspect(await act(), { depth: 12 })
  } catch (error) {
    return `${inspect(error, { depth: 12, showHidden: true })} ${inspect(failureOf(error))}`
  }
}

function wantClean(rig: Rig, text: string, when: string): void {
  for (const [name, secret] of Object.entries(rig.stand.secrets)) {
    if (secret.length < 4) continue
    for (const form of [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)])
      want(!text.includes(form), `The secret \`${name}\` shows ${when}: …${around(text, form)}…`)
  }
  want(!/(Basic|Bearer) [\w+/=]{8,}/.test(text), `An authorization header shows ${when}`)
}

function around(text: string, secret: string): string {
  const at = text.indexOf(secret)
  return (
    text.slice(Math.max(0, at - 80), at) + '[here]' + text.slice(at + secret.length, at + secret.length + 40)
  )
}
