import { shipped } from '../vendors.ts'
import { BLOCKED } from './letters.ts'

/** The shipped rules of mail, with one domain that is blocked. */
export async function mailYaml(): Promise<string> {
  return (await shipped('gmail')).replace('blocked: []', `blocked: [${BLOCKED}]`)
}
