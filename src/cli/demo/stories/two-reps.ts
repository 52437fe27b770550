import { when } from '../../output.ts'
import { callsFrom, customerWithoutMail, fieldsAt, repAt, timelineAt, verdictsOn } from '../letters.ts'
import { NotSo, type Scene } from '../scene.ts'
import type { World } from '../world.ts'

/** So that there is a time to be measured: the letter has lain for so long when it is answered. */
const LAIN_MINUTES = 38
const SUBJECT = 'Two questions before we sign'

/** One letter to two mailboxes at two vendors is one activity, on the right timeline; and the answer is measured. */
export async function twoReps(world: World, scene: Scene): Promise<void> {
  const { vendors, programs } = world
  const customer = await customerWithoutMail(world)
  const [atGmail, inOutlook] = [repAt(world, 'gmail'), repAt(world, 'outlook')]
  const both = [atGmail.address, inOutlook.address]
  const writtenAt = Math.floor(Date.now() / 1000) * 1000 - LAIN_MINUTES * 60_000
  const calls = async () => [await callsFrom(world, 'gmail'), await callsFrom(world, 'outlook')]
  const [gmailBefore = 0, outlookBefore = 0] = await calls()
  const dealIsNew = (await timelineAt(world, `deals/${customer.deal}`)).length === 0
  const onTimeline = () => timelineAt(world, `contacts/${customer.id}`)
  let letter = ''

  await scene.step(async () => {
    scene.same('The timeline before', await onTimeline(), [])
    letter = await vendors.mail.write({
      from: { address: customer.email, name: customer.name },
      to: both,
      subject: SUBJECT,
      text: `Hello,\n\nis the price good until June, and who will train our people?\n\nKind regards\n${customer.name}`,
      at: writtenAt,
    })
    scene.same('The mailboxes that have it', vendors.mail.mailboxesWith(letter), both)
    const wanted = both.map((address) => `${address}: logged`).toSorted()
    await scene.until(
      'both mailboxes log it',
      () => verdictsOn(world, letter),
      (seen) => seen.join() === wanted.join(),
    )
    await scene.until(
      'Gmail and Outlook have called',
      calls,
      ([gmail = 0, outlook = 0]) => gmail > gmailBefore && outlook > outlookBefore,
    )
    return `${customer.name} writes to ${atGmail.name} (Gmail) and ${inOutlook.name} (Outlook). Google's and Microsoft's webhooks come in, and both mailboxes are read.`
  })
  let thread = 0
  await scene.step(async () => {
    const { id: contact, company, deal } = customer
    for (const record of [`contacts/${contact}`, `companies/${company}`, `deals/${deal}`]) {
      const found = (await timelineAt(world, record)).filter(({ message }) => message?.messageId === letter)
      const told = found.map((entry) => [entry.contact, entry.company, entry.deal, entry.message?.direction])
      scene.same(`What the timeline of ${record} has of it`, told, [[contact, company, deal, 'received']])
      thread = found[0]?.message?.thread ?? 0
    }
    return `The hub has it once: on the timelines of ${customer.name}, of ${customer.companyName}, and of the one open deal, “${customer.dealName}”.`
  })
  await scene.step(async () => {
    const answer = await vendors.mail.answer(
      inOutlook.address,
      letter,
      'Yes, until June. I train them myself.',
    )
    const entries = await scene.until('the answer is logged', onTimeline, (seen) => seen.length > 1)
    const [latest] = entries
    scene.same(
      'The messages of the timeline',
      entries.map(({ message }) => message?.messageId),
      [answer, letter],
    )
    scene.same('Their threads', new Set(entries.map(({ message }) => message?.thread)), new Set([thread]))
    scene.same('The direction of the answer', latest?.message?.direction, 'sent')
    return `${inOutlook.name} answers, with ${atGmail.name} in copy: one more message, in the same thread.`
  })
  await scene.step(async () => {
    // A deal that colleagues of the customer have written about was answered before.
    const deals = dealIsNew ? [`deals/${customer.deal}`] : []
    for (const record of [`contacts/${customer.id}`, ...deals]) {
      const fields = await fieldsAt(world, record)
      scene.same(`The first response of ${record}`, fields['firstResponseMinutes'], LAIN_MINUTES)
      scene.same(`When ${record} last replied`, fields['lastRepliedAt'], writtenAt)
      const contacted = Number(fields['lastContactedAt'])
      if (!(contacted > writtenAt && contacted <= Date.now()))
        throw new NotSo(`${record} was last contacted ${when(contacted)}, which was not just now.`)
    }
    return `${dealIsNew ? 'Contact and deal show' : 'The contact shows'}: last contacted just now, last replied ${when(writtenAt)}, first response after ${LAIN_MINUTES} minutes (so long the letter had lain).`
  })
  let told = ''
  await scene.step(async () => {
    const { code, output } = await programs.run('timeline', 'contact', customer.email)
    if (code !== 0 || !output.includes(SUBJECT))
      throw new NotSo(`concord timeline should show the letter; it ended with ${code}: ${output.trim()}`)
    told = output
    return `concord timeline contact ${customer.email}:`
  })
  scene.quote(told)
}
