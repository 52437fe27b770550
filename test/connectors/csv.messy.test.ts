import { describe, expect, test } from 'vitest'
import { bodies, ids, importAll, makeFolder, put } from './csv.support.ts'

async function read(text: string | Buffer, how: Parameters<typeof put>[3] = {}, settings = {}) {
  const folder = await makeFolder()
  await put(folder, 'contacts.csv', text, how)
  return importAll({ folder, ...settings })
}

describe('encodings', () => {
  const text = 'id,name,city\n1,Zoë Müller,Łódź\n2,李小龍,香港\n3,😀 Ann,Åre\n'
  test.each([
    ['utf-8', false],
    ['utf-8', true],
    ['utf-16le', true],
    ['utf-16be', true],
    ['utf-16le', false],
    ['utf-16be', false],
  ])('%s, byte order mark: %s', async (encoding, bom) => {
    const pass = await read(text, { encoding, bom })
    expect(bodies(pass)).toEqual([
      { id: '1', name: 'Zoë Müller', city: 'Łódź' },
      { id: '2', name: '李小龍', city: '香港' },
      { id: '3', name: '😀 Ann', city: 'Åre' },
    ])
    expect(pass.listed).toBe(true)
  })

  test('Windows-1252 is found out from few letters', async () => {
    const pass = await read('id;name;note\n1;Jürgen Groß;10 € – „bar“\n2;François Noël;à côté\n', {
      encoding: 'windows-1252',
    })
    expect(bodies(pass)).toEqual([
      { id: '1', name: 'Jürgen Groß', note: '10 € – „bar“' },
      { id: '2', name: 'François Noël', note: 'à côté' },
    ])
  })

  test.each([
    ['windows-1251', 'Ольга Смирнова'],
    ['iso-8859-5', 'Ольга Смирнова'],
    ['iso-8859-7', 'Γιώργος Παπαδόπουλος'],
    ['windows-1252', 'Søren Kjær'],
  ])('%s is found out from one name', async (encoding, name) => {
    expect(bodies(await read(`id,name\n1,${name}\n2,${name}\n`, { encoding }))).toMatchObject([
      { name },
      { name },
    ])
  })

  test('the first letter beyond ASCII may come after the head of the file', async () => {
    const plain = Array.from({ length: 20_000 }, (_, i) => `${i},Ann`)
    const pass = await read(`id,name\n${plain.join('\n')}\n20000,Zoë\n`, { encoding: 'windows-1252' })
    expect(bodies(pass).at(-1)).toEqual({ id: '20000', name: 'Zoë' })
    expect(pass.bad).toEqual([])
  })

  test('ISO-8859-2 where it is told', async () => {
    const pass = await read(
      'id,name\n1,Łukasz Żółć\n',
      { encoding: 'iso-8859-2' },
      { encoding: 'ISO-8859-2' },
    )
    expect(bodies(pass)).toEqual([{ id: '1', name: 'Łukasz Żółć' }])
  })

  test('bytes that mean nothing cost one row', async () => {
    const bytes = Buffer.concat([
      Buffer.from('id,name\n1,Zoë\n2,'),
      Buffer.from([0xff, 0x41]),
      Buffer.from('\n3,Bob\n'),
    ])
    const pass = await read(bytes, {}, { encoding: 'utf-8' })
    expect(ids(pass)).toEqual(['1', '3'])
    expect(pass.bad).toEqual([
      { where: 'contacts.csv line 3', id: '2', problem: 'bytes that are not utf-8', raw: '2,\uFFFDA' },
    ])
    expect(pass.listed).toBe(true)
  })

  test('an illegible id is no id, so the file lists nothing', async () => {
    const bytes = Buffer.concat([Buffer.from('id,name\n1,Zoë\n'), Buffer.from([0xff]), Buffer.from(',Bob\n')])
    const pass = await read(bytes, {}, { encoding: 'utf-8' })
    expect(pass.bad).toMatchObject([{ where: 'contacts.csv line 3', id: null }])
    expect(pass.listed).toBe(false)
  })

  test('a spreadsheet is not CSV', async () => {
    await expect(read(Buffer.from('PK\x03\x04\x00\x00'))).rejects.toMatchObject({
      failure: { code: 'not-csv' },
    })
  })
})

describe('delimiters and lines', () => {
  test.each([',', ';', '\t', '|'])('delimiter %j', async (d) => {
    const pass = await read(`id${d}name${d}note\r\n1${d}Ann${d}"a, b; c | d\te"\r\n2${d}Bob${d}\r\n`)
    expect(bodies(pass)).toEqual([
      { id: '1', name: 'Ann', note: 'a, b; c | d\te' },
      { id: '2', name: 'Bob', note: '' },
    ])
  })

  test.each(['\n', '\r\n', '\r'])('line break %j, with empty lines and none at the end', async (n) => {
    const pass = await read(`${n}id,note${n}1,"two${n}lines"${n}${n}2${n}3,x`)
    expect(bodies(pass)).toEqual([
      { id: '1', note: `two${n}lines` },
      { id: '3', note: 'x' },
    ])
    expect(pass.bad).toMatchObject([{ where: 'contacts.csv line 6', id: '2' }])
  })

  test("Excel's sep line names the delimiter", async () => {
    expect(bodies(await read('sep=;\nid;a,b\n1;x,y\n'))).toEqual([{ id: '1', 'a,b': 'x,y' }])
  })

  test('one column is enough', async () => {
    expect(ids(await read('email\nAnn@X.org\nbob@x.org\n'))).toEqual(['ann@x.org', 'bob@x.org'])
  })

  test('duplicate, empty and dangerous headers all get a name', async () => {
    const pass = await read('id, name ,name,,__proto__,name_2\n1,a,b,c,d,e\n')
    expect(bodies(pass)).toEqual([
      { id: '1', name: 'a', name_2: 'b', column_4: 'c', column_5: 'd', name_2_2: 'e' },
    ])
  })
})

describe('bad rows', () => {
  test('short and long rows are named by their line, and the page goes on', async () => {
    const pass = await read(
      'id,name,city\n1,Ann,Bonn\n2,Bob\n3,Cleo,Köln,x\n4,"Dora\nDee",Ulm\n,Eve,Trier\n5,Fay,Ulm\n',
    )
    expect(ids(pass)).toEqual(['1', '4', '5'])
    expect(pass.bad).toEqual([
      { where: 'contacts.csv line 3', id: '2', problem: '2 cells where the header has 3', raw: '2 | Bob' },
      {
        where: 'contacts.csv line 4',
        id: '3',
        problem: '4 cells where the header has 3',
        raw: '3 | Cleo | Köln | x',
      },
      {
        where: 'contacts.csv line 7',
        id: null,
        problem: 'no value in the id column "id"',
        raw: ' | Eve | Trier',
      },
    ])
    expect(pass.listed).toBe(false)
  })

  test('an unbalanced quote costs its own row only', async () => {
    const pass = await read(
      'id,name,city\n1,Ann,Bonn\n2,"Bob,Köln\n3,Cleo,"Ulm"\n4,Dora "D" Dee,Trier\n5,"Eve" E,Ulm\n6,F,G\n',
    )
    expect(ids(pass)).toEqual(['1', '3', '4', '6'])
    expect(bodies(pass)[2]).toEqual({ id: '4', name: 'Dora "D" Dee', city: 'Trier' })
    expect(pass.bad.map(({ where, id, raw }) => ({ where, id, raw }))).toEqual([
      { where: 'contacts.csv line 3', id: '2', raw: '2,"Bob,Köln' },
      { where: 'contacts.csv line 6', id: '5', raw: '5,"Eve" E,Ulm' },
    ])
    expect(pass.listed).toBe(true)
  })

  test('a quote that is never closed costs its own row; the file counts as cut off', async () => {
    const pass = await read('id,name\n1,Ann\n2,"Bob\n3,Cleo\n')
    expect(ids(pass)).toEqual(['1', '3'])
    expect(pass.bad).toMatchObject([
      { where: 'contacts.csv line 3', id: '2', problem: 'a quote that is never closed' },
    ])
    expect(pass.listed).toBe(false)
  })

  test('a file that stops inside its last row lists nothing, and half an id is no id', async () => {
    const pass = await read('id,name\n1,Ann\n20')
    expect(pass.bad).toMatchObject([{ where: 'contacts.csv line 3', id: null }])
    expect(pass.listed).toBe(false)
    const later = await read('id,name,city\n1,Ann,Bonn\n20,Bob')
    expect(later.bad).toMatchObject([{ id: '20' }])
    expect(later.listed).toBe(false)
  })

  test('half a character at the end of UTF-16 is a file cut off', async () => {
    const whole = Buffer.from('\ufeffid,name\n1,Ann\n2,Bob\n', 'utf16le')
    expect((await read(whole)).listed).toBe(true)
    expect((await read(whole.subarray(0, -1))).listed).toBe(false)
  })

  test('an id that comes twice is bad the second time', async () => {
    const pass = await read('id,name\n1,Ann\n2,Bob\n1,Anna\n')
    expect(bodies(pass)).toEqual([
      { id: '1', name: 'Ann' },
      { id: '2', name: 'Bob' },
    ])
    expect(pass.bad).toMatchObject([
      { where: 'contacts.csv line 4', id: '1', problem: 'the id "1" is already on line 2' },
    ])
    expect(pass.listed).toBe(true)
  })

  test('a cell of 10 MB is a bad row of little text', async () => {
    const pass = await read(`id,name,note\n1,Ann,x\n2,Bob,"${'long \n'.repeat(1_800_000)}"\n3,Cleo,y\n`)
    expect(ids(pass)).toEqual(['1', '3'])
    expect(pass.bad).toMatchObject([
      { where: 'contacts.csv line 3', id: '2', problem: 'longer than 1,048,576 bytes' },
    ])
    expect(pass.bad[0]?.raw.length).toBeLessThanOrEqual(1_000)
    expect(pass.listed).toBe(true)
  })

  test('an unbalanced quote before 10 MB of good rows costs its own row only', async () => {
    const rows = Array.from(
      { length: 200_000 },
      (_, i) => `${i},"Ann ""A"" ${i}",some note that takes up space`,
    )
    rows[100] = '100,"Ann,x'
    const pass = await read(`id,name,note\n${rows.join('\n')}\n`)
    expect(pass.observations).toHaveLength(199_999)
    expect(pass.bad).toMatchObject([{ where: 'contacts.csv line 102', id: '100' }])
  })

  test('rows of nothing but delimiters are passed over', async () => {
    const pass = await read('id,name\n1,Ann\n,\n , \n,,,\n')
    expect(pass).toMatchObject({ bad: [], listed: true })
    expect(ids(pass)).toEqual(['1'])
  })
})
