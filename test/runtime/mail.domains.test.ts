import { expect, test } from 'vitest'
import { domainFacts } from '../../src/runtime/mail/domains.ts'

test.each([
  ['gmail.com', true],
  ['GMX.de', true],
  ['outlook.com', true],
  ['web.de', true],
  ['icloud.com', true],
  ['acme.com', false],
  ['notgmail.com', false],
  ['', false],
])('%s is a free-mail domain: %s', (domain, isFree) => {
  expect(domainFacts.isFreeMail(domain)).toBe(isFree)
})

test.each([
  ['mail.acme.co.uk', 'acme.co.uk'],
  ['acme.com', 'acme.com'],
  ['eu.acme.onmicrosoft.com', 'acme.onmicrosoft.com'],
  ['acme.onmicrosoft.com', 'acme.onmicrosoft.com'],
  ['shop.acme.myshopify.com', 'acme.myshopify.com'],
  ['xn--bcher-kva.de', 'xn--bcher-kva.de'],
  ['co.uk', null],
  ['localhost', null],
  ['192.168.0.1', null],
  ['', null],
])('the registrable part of %s is %s', (domain, registrable) => {
  expect(domainFacts.registrable(domain)).toBe(registrable)
})
