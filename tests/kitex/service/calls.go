package service

import (
	"context"
	"sync"
)

// calls counts the streaming handlers of a server, so that a test can ask whether the server has noticed that a caller is gone.
type calls struct {
	mu        sync.Mutex
	alive     int64
	cancelled int64
	reason    string
	changed   chan struct{} // closed and replaced when a handler starts or ends
}

func newCalls() *calls {
	return &calls{changed: make(chan struct{})}
}

func (c *calls) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive++
	c.announce()
}

// leave is called when a handler returns. A context that ended before the handler did is a caller that went away.
func (c *calls) leave(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive--
	if err := ctx.Err(); err != nil {
		c.cancelled++
		c.reason = err.Error()
	}
	c.announce()
}

func (c *calls) announce() {
	close(c.changed)
	c.changed = make(chan struct{})
}

type tally struct {
	alive, cancelled int64
	reason           string
}

// await returns as soon as at least so many handlers have been cancelled and so many are alive, or when ctx ends.
func (c *calls) await(ctx context.Context, cancelled, alive int64) (tally, error) {
	for {
		c.mu.Lock()
		now, changed := tally{c.alive, c.cancelled, c.reason}, c.changed
		c.mu.Unlock()
		if now.cancelled >= cancelled && now.alive >= alive {
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}
