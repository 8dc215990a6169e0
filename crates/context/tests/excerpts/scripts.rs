//! JavaScript and TypeScript, each in one realistic file.

use chaffinch_core::Rung;
use insta::assert_snapshot;

use crate::marked;

#[test]
fn javascript() {
    let source = r#"'use strict'
const path = require('path')
const ROOT = '/srv/files'
const LIMIT = 10

const clean = (name) => {
  const short = name.slice(0, LIMIT)
  console.log('cleaned')
  return short.replace(/\.\./g, '')
}

module.exports = function (app) {
  app.get('/health', (req, res) => res.send('ok'))

  app.post('/files/:name', requireUser, async (req, res, next) => {
    const { name } = req.params
    const started = Date.now()
    if (!name) {
      return next()
    }
    const full = path.join(ROOT, clean(name))
    fs.readFile(full, (err, data) => {
      if (err) return next(err)
      res.send(data) // <-- here
    })
    metrics.time(started)
  })
}
"#;
    assert_snapshot!(marked("routes/files.js", source, Rung::Function), @r"
    routes/files.js
       3 definition of ROOT | const ROOT = '/srv/files'
       4 definition of LIMIT | const LIMIT = 10
       6 definition of clean | const clean = (name) => {
       7 definition of clean |   const short = name.slice(0, LIMIT)
       8 definition of clean |   console.log('cleaned')
       9 definition of clean |   return short.replace(/\.\./g, '')
      12 signature | module.exports = function (app) {
      13 slice |   app.get('/health', (req, res) => res.send('ok'))
      15 signature |   app.post('/files/:name', requireUser, async (req, res, next) => {
      16 slice |     const { name } = req.params
      17 function |     const started = Date.now()
      18 guard |     if (!name) {
      19 guard |       return next()
      21 slice |     const full = path.join(ROOT, clean(name))
      22 slice |     fs.readFile(full, (err, data) => {
      23 function |       if (err) return next(err)
      24 finding |       res.send(data) // <-- here
      26 function |     metrics.time(started)
    rung Function
    ");
}

#[test]
fn typescript() {
    let source = r#"import { Controller, Get, Query } from '@nestjs/common'

const COLUMNS: Record<string, string> = {
  name: 'name',
  mail: 'email',
}

interface Filter {
  field: string
}

@Controller('users')
export class Users {
  private readonly limit = 50

  constructor(private readonly db: Pool) {}

  private column(filter: Filter): string {
    return COLUMNS[filter.field] ?? 'name'
  }

  @Get('search')
  @UseGuards(AuthGuard)
  async search(@Query('field') field: string): Promise<Row[]> {
    const filter: Filter = { field }
    const order = this.column(filter)
    this.logger.debug('searching')
    return this.db.query(`SELECT * FROM users ORDER BY ${order} LIMIT ${this.limit}`) // <-- here
  }
}
"#;
    assert_snapshot!(marked("src/users.ts", source, Rung::Function), @"
    src/users.ts
       3 definition of COLUMNS | const COLUMNS: Record<string, string> = {
       4 definition of COLUMNS |   name: 'name',
       5 definition of COLUMNS |   mail: 'email',
       8 definition of Filter | interface Filter {
       9 definition of Filter |   field: string
      12 signature | @Controller('users')
      13 signature | export class Users {
      14 definition of limit |   private readonly limit = 50
      16 definition of db |   constructor(private readonly db: Pool) {}
      18 definition of column |   private column(filter: Filter): string {
      19 definition of column |     return COLUMNS[filter.field] ?? 'name'
      22 signature |   @Get('search')
      23 signature |   @UseGuards(AuthGuard)
      24 signature |   async search(@Query('field') field: string): Promise<Row[]> {
      25 slice |     const filter: Filter = { field }
      26 slice |     const order = this.column(filter)
      27 function |     this.logger.debug('searching')
      28 finding |     return this.db.query(`SELECT * FROM users ORDER BY ${order} LIMIT ${this.limit}`) // <-- here
    rung Function
    ");
}

#[test]
fn tsx() {
    let source = r#"const Banner = ({ html, title }: Props) => {
  const [open, setOpen] = useState(true)
  const safe = sanitize(html)
  return (
    <section onClick={() => setOpen(false)}>
      <h1>{title}</h1>
      <div dangerouslySetInnerHTML={{ __html: safe }} /> {/* <-- here */}
    </section>
  )
}

function sanitize(html: string) {
  return html
}
"#;
    assert_snapshot!(marked("src/Banner.tsx", source, Rung::Function), @"
    src/Banner.tsx
       1 signature | const Banner = ({ html, title }: Props) => {
       2 function |   const [open, setOpen] = useState(true)
       3 slice |   const safe = sanitize(html)
       4 slice |   return (
       5 slice |     <section onClick={() => setOpen(false)}>
       6 slice |       <h1>{title}</h1>
       7 finding |       <div dangerouslySetInnerHTML={{ __html: safe }} /> {/* <-- here */}
       8 slice |     </section>
      12 definition of sanitize | function sanitize(html: string) {
      13 definition of sanitize |   return html
    rung Function
    ");
}
