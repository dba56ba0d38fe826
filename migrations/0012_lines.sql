-- Up Migration

-- The next lines of a cursor over text, so many bytes or little more, each with its end; null where there is none left. One value for a reader, where
-- thousands of rows would each have to be taken apart.
create function sluice.fetch_lines(_cursor refcursor, _bytes integer) returns text language plpgsql as $$
declare
  _lines text[] := '{}';
  _size integer := 0;
  _line text;
begin
  while _size < _bytes loop
    fetch _cursor into _line;
    exit when not found;
    _lines := _lines || _line;
    _size := _size + octet_length(_line) + 1;
  end loop;
  return case when _size > 0 then array_to_string(_lines, E'\n') || E'\n' end;
end $$;

-- Down Migration

drop function sluice.fetch_lines(refcursor, integer);
