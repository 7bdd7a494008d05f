package exam

import (
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// What the examiner knows of the rows, which fixture.sql makes.
const (
	reports = 500_000
	patrol  = "Patrol@City.example" // reports all day: 7,500 reports
	perDay  = 480                   // reports of a day; the first is at midnight
)

func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// districts are the largest, one of the two smallest, and one that does not exist.
func districts(c *exam.C) []call {
	return []call{
		{[]string{"1"}, "the largest district"},
		{[]string{fmt.Sprint(c.Int(2, 3))}, "one of the smallest districts"},
		{[]string{"41"}, "a district that does not exist"},
	}
}

// somebody is the address of a report that the seed draws, and the day on which
// it was made.
func somebody(c *exam.C) (address, day string) {
	row := c.DB().Rows("select email, (reported_at at time zone 'UTC')::date::text as day from reports where id = $1", c.Int(1, reports))
	if len(row) == 0 {
		return "nobody@mail.example", "2024-01-01"
	}
	return fmt.Sprint(row[0]["email"]), fmt.Sprint(row[0]["day"])
}

func addresses(c *exam.C) []call {
	address, _ := somebody(c)
	return []call{
		{[]string{text(strings.ToLower(patrol))}, "the address with the most reports"},
		{[]string{text(strings.ToUpper(address))}, "an address like most"},
	}
}

// days are one that begins with a report of the patrol's at midnight, the one
// before it, and that of somebody's only report.
func days(c *exam.C) []call {
	midnights := make([]string, 0, reports/perDay)
	for id := 2 * perDay; id < reports; id += perDay {
		midnights = append(midnights, fmt.Sprint(id))
	}
	found := c.DB().Rows(`select (reported_at at time zone 'UTC')::date::text as day, ((reported_at at time zone 'UTC')::date - 1)::text as before
		from reports where id = any($1::bigint[]) and email = $2 order by id`, "{"+strings.Join(midnights, ",")+"}", patrol)
	if len(found) == 0 {
		return nil // left-alone has said so
	}
	drawn := found[c.Int(0, len(found)-1)]
	address, day := somebody(c)
	return []call{
		{[]string{text(strings.ToUpper(patrol)), text(fmt.Sprint(drawn["before"]))}, "a day of the address with the most reports"},
		{[]string{text(patrol), text(fmt.Sprint(drawn["day"]))}, "the day after it, which begins with a report at midnight"},
		{[]string{text(strings.ToLower(address)), text(day)}, "a day of an address like most"},
	}
}

// beginnings are a name and the first letter of the next one, and one after which the last letter
// of the alphabet may come. Each fits some dozen reports.
func beginnings(c *exam.C) []call {
	begin := "Anbel.c"
	if address, _ := somebody(c); address != patrol {
		if at := strings.Index(address, "."); at >= 0 && at+2 <= len(address) {
			begin = strings.ToUpper(address[:1]) + strings.ToLower(address[1:at+2])
		}
	}
	last := "Anbel.Cor"
	for _, row := range c.DB().Rows("select email from reports where email like '%.Corza@%' and id >= $1 order by id limit 1", c.Int(1, reports/2)) {
		last, _, _ = strings.Cut(fmt.Sprint(row["email"]), "za@")
	}
	return []call{
		{[]string{text(begin)}, "a name, and the first letter of the next"},
		{[]string{text(strings.ToUpper(last))}, "a name and three letters of the next, after which a z may come"},
	}
}
