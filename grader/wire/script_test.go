package wire

import (
	"slices"
	"testing"
)

func TestScript(t *testing.T) {
	sql := `-- a comment; with a semicolon
create table a (id int); ;
insert into a values (';'), ($$;$$); /* ; */
create function f() returns int language sql
begin atomic
	select case when true then 1 else 2 end;
	select 2;
end;
create rule r as on insert to a do also (select 1; select 2);
select "x;y" from a`
	var got []string
	for _, p := range Script(sql) {
		if sql[p.At:p.At+len(p.Text)] != p.Text {
			t.Errorf("%q does not stand at %d", p.Text, p.At)
		}
		got = append(got, p.Words[0]+" "+p.Words[1])
	}
	want := []string{"create table", "insert into", "create function", "create rule", "select from"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if all := Script("-- nothing\n;;"); all != nil {
		t.Errorf("nothing is %v", all)
	}
}

func TestBackslashes(t *testing.T) {
	sql := "\\set x 'it''s\nselect E'\\n', '\n\\copy'; -- \\d\n  \\d a\nselect 1 \\gexec\n"
	if got := Backslashes(sql); !slices.Equal(got, []int{0, 46}) {
		t.Errorf("got %v in %q", got, sql)
	}
}
