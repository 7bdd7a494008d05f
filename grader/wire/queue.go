package wire

// queue is first in, first out: what the server still has to answer.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) len() int { return len(q.items) - q.head }

func (q *queue[T]) push(a T) {
	if q.head > 32 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, a)
}

// first returns what is to be answered next, nil where there is none.
func (q *queue[T]) first() *T {
	if q.len() == 0 {
		return nil
	}
	return &q.items[q.head]
}

func (q *queue[T]) pop() {
	var none T
	q.items[q.head] = none
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
}

// waiting is all that is not answered yet.
func (q *queue[T]) waiting() []T { return q.items[q.head:] }
