package gate

import (
	"sync"
	"time"
)

// task is an item that waits to be tried.
type task struct {
	item Item
	fn   func(*Result)
}

// try puts an item into the queue, if it is wanted.
func (r *run) try(item Item, fn func(*Result)) {
	if r.options.Only == nil || r.options.Only.MatchString(item.String()) {
		item.Exercise = r.e.ID
		r.tasks = append(r.tasks, task{item, fn})
	}
}

// perform works off the queue, as many items at once as the options say, and
// returns their results in the order of the queue. None is begun after an
// ungraded one, or when the context is done.
func (r *run) perform() []Result {
	p := &performance{run: r, results: make([]*Result, len(r.tasks))}
	var workers sync.WaitGroup
	for range r.options.AtOnce {
		workers.Go(p.work)
	}
	workers.Wait()
	return p.told
}

// performance is the state that the workers share.
type performance struct {
	*run

	mu      sync.Mutex
	next    int       // the task to begin next
	results []*Result // by task; nil while there is none
	told    []Result  // those that OnResult has been told of
	stopped bool
}

func (p *performance) work() {
	for {
		i, ok := p.begin()
		if !ok {
			return
		}
		began := time.Now()
		result := &Result{Item: p.tasks[i].item}
		p.tasks[i].fn(result)
		result.Took = time.Since(began)
		p.end(i, result)
	}
}

// begin takes the next task. There is none any more when ok is false.
func (p *performance) begin() (i int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.ctx.Err() != nil || p.next == len(p.tasks) {
		return 0, false
	}
	i = p.next
	p.next++
	if p.options.OnStart != nil {
		p.options.OnStart(p.tasks[i].item)
	}
	return i, true
}

// end keeps a result, and tells of all that nothing before them is missing.
func (p *performance) end(i int, result *Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = p.stopped || result.Ungraded
	p.results[i] = result
	for len(p.told) < len(p.results) && p.results[len(p.told)] != nil {
		result := *p.results[len(p.told)]
		p.told = append(p.told, result)
		if p.options.OnResult != nil && p.ctx.Err() == nil {
			p.options.OnResult(result)
		}
	}
}
