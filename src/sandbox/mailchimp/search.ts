import { Hono } from 'hono'
import { project } from './project.ts'
import { audienceOf } from './request.ts'
import { normaliseEmail, type Audience, type MailchimpState, type Member } from './state.ts'
import { memberView } from './view.ts'

const SHOWN_MAX = 30

/** https://mailchimp.com/developer/marketing/api/search-members/: by address or name, best first. */
export function searchRoutes(state: MailchimpState): Hono {
  const routes = new Hono()
  routes.get('/search-members', (c) => {
    const { query, list_id: list } = c.req.query()
    const wanted = normaliseEmail(query ?? '')
    const audiences = list === undefined ? [...state.audiences.values()] : [audienceOf(state, list)]
    const exact = search(audiences, (member) => normaliseEmail(member.email) === wanted)
    const full = search(audiences, (member) => wanted !== '' && searchText(member).includes(wanted))
    return c.json(project({ exact_matches: exact, full_search: full }, c.req.query()))
  })
  return routes
}

function search(audiences: readonly Audience[], fits: (member: Member) => boolean) {
  const found = audiences.flatMap((audience) =>
    audience.order.filter(fits).map((member) => ({ audience, member })),
  )
  const members = found.slice(0, SHOWN_MAX).map(({ audience, member }) => memberView(audience, member))
  return { members, total_items: found.length }
}

function searchText(member: Member): string {
  const names = [member.mergeFields.get('FNAME'), member.mergeFields.get('LNAME')]
  return [member.email, ...names]
    .filter((part) => typeof part === 'string')
    .join(' ')
    .toLowerCase()
}
