// Views that use a column hinder a change of its type. They are dropped and made again, with all that belongs to them.
import type { Queryable } from '../../database/queryable.ts'
import { quoteTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { shorten } from '../../value/text.ts'
import type { ChangePlan } from './change-plan.ts'

/** A view that uses a column, or another such view. */
interface DependentView {
  /** Quoted where it needs to be, `shop.totals`. */
  readonly name: string
  readonly owner: string
  /** False for what is no view but has a rule that uses the column. */
  readonly isView: boolean
  /** This user may drop it, and make it again for its owner. */
  readonly isOurs: boolean
  readonly drop: string
  /** The statements that make it again. */
  readonly create: readonly string[]
}

/**
 * Returns a plan that also makes the views again which use a column whose type changes: with their owners, rights,
 * options, comments, indexes, triggers and rules, in the order in which they use each other. Throws if the table does
 * not ask for that, or if this user may not do it.
 */
export async function aroundViews(on: Queryable, table: Table, plan: ChangePlan): Promise<ChangePlan> {
  if (plan.widened.length === 0) return plan
  const views = await on.query<DependentView>(QUERY, [quoteTable(table.name), plan.widened])
  if (views.length === 0) return plan
  const names = views.map(({ name }) => name).join(', ')
  const begin =
    `${table.name}: it needs this change: ${plan.change}. PostgreSQL does not change the type of a column that a ` +
    'view uses, and'
  if (table.views !== 'recreate')
    throw new SchemaError(
      `${begin} ${names} ${views.length === 1 ? 'uses' : 'use'} it. Set views: 'recreate' for the table, and the ` +
        'change drops them and makes them again as they are, in one transaction; sluice check shows its statements. ' +
        `Or drop them, run: ${shorten(plan.statements.join('; '))}, and make them again`,
    )
  const rules = views.filter(({ isView }) => !isView)
  if (rules.length > 0)
    throw new SchemaError(
      `${begin} a rule of ${rules.map(({ name }) => name).join(', ')} uses it too, which is not made again. ` +
        'Drop the rule',
    )
  const others = views.filter(({ isOurs }) => !isOurs)
  if (others.length > 0)
    throw new SchemaError(
      `${begin} ${others.map(({ name, owner }) => `${name} of ${owner}`).join(', ')} cannot be made again, ` +
        'because this user is no member of the role that owns it. Grant that role to the user of DATABASE_URL, or ' +
        'let its owner ' +
        `drop the view, run: ${shorten(plan.statements.join('; '))}, and make it again`,
    )
  return {
    widened: plan.widened,
    statements: [
      ...views.map(({ drop }) => drop).toReversed(),
      ...plan.statements,
      ...views.flatMap(({ create }) => create),
    ],
    change: `${plan.change}, made ${names} again`,
    views: names,
  }
}

const GRANTEE = `case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end`
const GRANTABLE = `case when is_grantable then ' with grant option' else '' end`

/** Rights that new objects get by default are taken away, so that the view has those that it had. */
const REVOKE = `do $sluice$ declare _who oid; begin
  for _who in select distinct grantee from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))
               where pg_class.oid = %L::regclass loop
    execute format('revoke all on %%s from %%s', %L::regclass,
      case when _who = 0 then 'public' else quote_ident(pg_get_userbyid(_who)) end);
  end loop;
end $sluice$`

// The depth of a view is the longest way to the table, so that a view comes after all that it uses.
const QUERY = `
with recursive tables as (
  select $1::regclass::oid as oid union select relid::oid from pg_partition_tree($1::regclass)
), used (oid, depth) as (
  select r.ev_class, 1
  from tables t
    join pg_attribute a on a.attrelid = t.oid and a.attname = any($2::text[]) and not a.attisdropped
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.refobjsubid = a.attnum
    join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
  where r.ev_class not in (select oid from tables)
  union
  select r.ev_class, used.depth + 1
  from used
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = used.oid
    join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.ev_class <> used.oid
), views as (
  select c.*, depth, format('%I.%I', n.nspname, c.relname) as name,
         case c.relkind when 'm' then 'materialized view' else 'view' end as kind
  from (select oid, max(depth) as depth from used group by oid) as one
    join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
)
select name, pg_get_userbyid(relowner) as owner, relkind in ('v', 'm') as "isView",
  pg_has_role(relowner, 'usage') as "isOurs", format('drop %s %s', kind, name) as drop,
  array(
    select statement from (
      select 1 as place, 0 as number, format('create %s %s%s%s%s as %s%s', kind, name,
        (select ' using ' || quote_ident(amname) from pg_am where oid = relam),
        ' with (' || array_to_string(reloptions, ', ') || ')',
        (select ' tablespace ' || quote_ident(spcname) from pg_tablespace where oid = reltablespace),
        rtrim(pg_get_viewdef(views.oid), '; '), case when relkind = 'm' and not relispopulated then ' with no data' end)
        as statement
      union all
      select 2, 0, format('alter %s %s owner to %I', kind, name, pg_get_userbyid(relowner))
      where pg_get_userbyid(relowner) <> current_user
      union all
      select 3, d.adnum, format('alter view %s alter column %I set default %s', name, a.attname,
        pg_get_expr(d.adbin, d.adrelid))
      from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where d.adrelid = views.oid
      union all
      select 4, row_number() over (order by i.indexrelid), pg_get_indexdef(i.indexrelid)
      from pg_index i where i.indrelid = views.oid
      union all
      select 5, 0, format('alter materialized view %s cluster on %I', name, c.relname)
      from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = views.oid and i.indisclustered
      union all
      select 6, 0, pg_get_statisticsobjdef(s.oid) from pg_statistic_ext s where s.stxrelid = views.oid
      union all
      select 7, 0, pg_get_triggerdef(t.oid) from pg_trigger t where t.tgrelid = views.oid and not tgisinternal
      union all
      select 8, 0, rtrim(pg_get_ruledef(r.oid), ';') from pg_rewrite r
      where r.ev_class = views.oid and r.rulename <> '_RETURN'
      union all
      select 9, objsubid, case objsubid when 0 then format('comment on %s %s is %L', kind, name, description)
        else format('comment on column %s.%I is %L', name, attname, description) end
      from pg_description left join pg_attribute on attrelid = views.oid and attnum = objsubid
      where classoid = 'pg_class'::regclass and objoid = views.oid
      union all
      select 10, 0, format($revoke$${REVOKE}$revoke$, name, name)
      where exists (select from pg_default_acl where defaclobjtype = 'r')
      union all
      select 11, 0, format('grant %s on %s to %s%s', privilege_type, name, ${GRANTEE}, ${GRANTABLE})
      from aclexplode(coalesce(relacl, acldefault('r', relowner)))
      where grantee <> relowner or exists (select from pg_default_acl where defaclobjtype = 'r')
      union all
      select 12, attnum, format('grant %s (%I) on %s to %s%s', privilege_type, attname, name, ${GRANTEE}, ${GRANTABLE})
      from pg_attribute, aclexplode(attacl) where attrelid = views.oid and attacl is not null
    ) as made order by place, number
  ) as create
from views order by depth, name`
