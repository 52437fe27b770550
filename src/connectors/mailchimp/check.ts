import { failureOf, type Io } from '../connector.ts'
import { ask } from './api.ts'
import { type Account, accountOf, badSetting, listOf } from './settings.ts'
import { account as accountSchema, list as listSchema, lists as listsSchema } from './wire.ts'

/**
 * Whose account this is, and that the audience is there. A wrong or missing `list` is `rejected`, naming the audiences
 * there are. https://mailchimp.com/developer/marketing/api/root/
 */
export async function check(io: Io): Promise<{ readonly accountId: string; readonly label: string }> {
  const account = accountOf(io)
  const root = { method: 'GET', path: '/', query: { fields: 'account_id,account_name' } } as const
  const { account_id: accountId, account_name: name } = await ask(io, account, root, accountSchema)
  const id = listOf(io)
  if (id === null) {
    throw badSetting('list', `Which audience? Set \`list\` to one of: ${await choices(io, account)}.`)
  }
  const path = `/lists/${encodeURIComponent(id)}`
  try {
    const list = await ask(io, account, { method: 'GET', path, query: { fields: 'id,name' } }, listSchema)
    return { accountId, label: `${name} (${list.name})` }
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') throw error
    throw badSetting(
      'list',
      `There is no audience ${id}. Set \`list\` to one of: ${await choices(io, account)}.`,
    )
  }
}

async function choices(io: Io, account: Account): Promise<string> {
  const query = { fields: 'lists.id,lists.name', count: '100' }
  const { lists } = await ask(io, account, { method: 'GET', path: '/lists', query }, listsSchema)
  return lists.map(({ id, name }) => `${id} (${name})`).join(', ') || '(the account has none)'
}
