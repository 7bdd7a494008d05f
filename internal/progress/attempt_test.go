package progress_test

import (
	"maps"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/internal/progress"
)

func TestTimeSpent(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes int, exercise, lesson string) progress.Event {
		return progress.Event{Exercise: exercise, Lesson: lesson, At: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	events := []progress.Event{
		at(0, "", "sql/a"),   // what came before is not known
		at(10, "", "sql/a"),  // 10 minutes of reading
		at(25, "update", ""), // 15 of writing
		at(55, "update", ""), // 30, the longest silence that counts
		at(86, "update", ""), // 31: a pause
		at(90, "gone", ""),   // 4 on something that has no name any more
		at(92, "update", ""), // 2
	}
	key := func(e progress.Event) string {
		if e.Exercise == "gone" {
			return ""
		}
		return e.Exercise + e.Lesson
	}
	want := map[string]time.Duration{"sql/a": 10 * time.Minute, "update": 47 * time.Minute}
	if got := progress.TimeSpent(events, key); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := progress.TimeSpent(nil, key); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
