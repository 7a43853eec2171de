package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/cloudwego/kitex/pkg/kerrors"

	"streamxkitex/gen/interop"
)

type failure struct{ text string }

func fail(format string, args ...any) {
	panic(failure{fmt.Sprintf(format, args...)})
}

// attempt turns a failure inside run into an error.
func attempt(run func()) (err error) {
	defer func() {
		switch caught := recover().(type) {
		case nil:
		case failure:
			err = errors.New(caught.text)
		default:
			panic(caught)
		}
	}()
	run()
	return nil
}

// together runs n at once and fails with the first failure.
func together(n int, run func(i int)) {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = attempt(func() { run(i) })
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		fail("%v", err)
	}
}

func must(err error, doing string) {
	if err != nil {
		fail("%s: %v", doing, err)
	}
}

func get[T any](value T, err error) T {
	must(err, "call")
	return value
}

// numbersTravel says whether the texts of failures have the numbers of TTHeader Streaming, which are from 12001. Set by each
// case, of which one runs at a time.
var numbersTravel = true

// failsWith wants a failure whose text holds every one of words.
func failsWith(err error, words ...string) {
	if err == nil || errors.Is(err, io.EOF) {
		fail("ended with %v, want a failure that says %q", err, words)
	}
	for _, word := range words {
		if !numbersTravel && strings.HasPrefix(word, "120") {
			continue
		}
		if !strings.Contains(err.Error(), word) {
			fail("failed with %q, want a failure that says %q", err, word)
		}
	}
}

// isNoBalance wants the business error that the service makes.
func isNoBalance(err error) {
	biz, ok := kerrors.FromBizStatusError(err)
	if !ok {
		fail("failed with %v, want a business error", err)
	}
	equal("code", biz.BizStatusCode(), 10001)
	equal("message", biz.BizMessage(), "no balance")
	if !maps.Equal(biz.BizExtra(), map[string]string{"k": "v"}) {
		fail("extra is %v", biz.BizExtra())
	}
}

type receiver[T any] interface {
	Recv(context.Context) (*T, error)
}

func receive[T any](ctx context.Context, from receiver[T]) *T {
	message, err := from.Recv(ctx)
	must(err, "recv")
	return message
}

func ended[T any](ctx context.Context, from receiver[T]) {
	if message, err := from.Recv(ctx); !errors.Is(err, io.EOF) {
		fail("recv at the end gave %v, %v, want io.EOF", message, err)
	}
}

func equal[T comparable](what string, got, want T) {
	if got != want {
		fail("%s is %v, want %v", what, got, want)
	}
}

func samePacket(got, want *interop.Packet) {
	if !same(reflect.ValueOf(got), reflect.ValueOf(want)) {
		fail("packet %d %q with %d bytes arrived, want %d %q with %d bytes (or other bytes)",
			got.Number, got.Text, len(got.Body), want.Number, want.Text, len(want.Body))
	}
}

func sameEverything(name string, got, want *interop.Everything) {
	if !same(reflect.ValueOf(got), reflect.ValueOf(want)) {
		fail("%s: got %+v, want %+v", name, got, want)
	}
}

// same compares values as they are on the wire: floats by their bits, nil like empty, sets in any order.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || same(a.Elem(), b.Elem()))
	case reflect.Struct:
		for i := range a.NumField() {
			x, y := a.Field(i), b.Field(i)
			if strings.Contains(a.Type().Field(i).Tag.Get("frugal"), ",set<i32>") {
				x, y = sorted(x), sorted(y)
			}
			if !same(x, y) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, key := range a.MapKeys() {
			if other := b.MapIndex(key); !other.IsValid() || !same(a.MapIndex(key), other) {
				return false
			}
		}
		return true
	case reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	default:
		return a.Interface() == b.Interface()
	}
}

func sorted(set reflect.Value) reflect.Value {
	numbers := slices.Clone(set.Interface().([]int32))
	slices.Sort(numbers)
	return reflect.ValueOf(numbers)
}
