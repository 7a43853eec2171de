package cases

import (
	"math"
	"strings"

	"streamxkitex/gen/interop"
)

type sample struct {
	name  string
	value *interop.Everything
}

// samples holds every Thrift type at its edges.
func samples() []sample {
	return []sample{
		{"nothing set", blank()},
		{"largest", largest()},
		{"smallest", smallest()},
		{"infinite", infinite()},
		{"unknown enum number", unknownEnum()},
		{"strings outside ASCII", foreign()},
		{"union of a number", choosing(&interop.Choice{Number: pointer(int64(math.MinInt64))})},
		{"union of a struct", choosing(&interop.Choice{Inner: &interop.Inner{Name: "chosen", Weight: -1}})},
		{"long containers", long()},
		{"twenty levels", nested(20)},
	}
}

func pointer[T any](value T) *T { return &value }

func blank() *interop.Everything {
	value := interop.NewEverything()
	value.Inner = &interop.Inner{}
	value.Limit = 0 // not the default: 0 must travel
	return value
}

func largest() *interop.Everything {
	inner := &interop.Inner{Name: "inner", Weight: math.MaxInt32}
	return &interop.Everything{
		Flag: true, Tiny: math.MaxInt8, Small: math.MaxInt16, Medium: math.MaxInt32, Large: math.MaxInt64,
		Ratio: math.MaxFloat64, Text: "text", Blob: []byte{0, 255, 128, 10, 13}, Color: interop.Color_Green, Inner: inner,
		Choice:  &interop.Choice{Text: pointer("chosen")},
		Numbers: []int32{math.MaxInt32, 0, 1}, Words: []string{"one", "", "three"}, Inners: []*interop.Inner{inner, {}},
		Unique: []int32{1, 2, math.MaxInt32}, Counts: map[string]int64{"": 0, "most": math.MaxInt64},
		ByNumber: map[int32]*interop.Inner{0: {}, math.MaxInt32: inner}, Grid: [][]int32{{1, 2}, {}, {math.MaxInt32}},
		MaybeNumber: pointer(int32(math.MaxInt32)), MaybeText: pointer("maybe"), MaybeInner: inner,
		Limit: math.MaxInt32, Id: math.MaxInt64, Parent: blank(),
	}
}

func smallest() *interop.Everything {
	inner := &interop.Inner{Weight: math.MinInt32}
	return &interop.Everything{
		Tiny: math.MinInt8, Small: math.MinInt16, Medium: math.MinInt32, Large: math.MinInt64,
		Ratio: math.Copysign(0, -1), Color: interop.Color_Blue, Inner: inner, Choice: &interop.Choice{Text: pointer("")},
		Numbers: []int32{math.MinInt32, -1}, Inners: []*interop.Inner{inner}, Unique: []int32{math.MinInt32},
		Counts: map[string]int64{"least": math.MinInt64}, ByNumber: map[int32]*interop.Inner{math.MinInt32: inner},
		Grid: [][]int32{{}}, MaybeNumber: pointer(int32(math.MinInt32)), MaybeText: pointer(""), MaybeInner: &interop.Inner{},
		Limit: math.MinInt32, Id: math.MinInt64,
	}
}

func infinite() *interop.Everything {
	value, parent := blank(), blank()
	value.Ratio, parent.Ratio = math.Inf(1), math.Inf(-1)
	value.Parent = parent
	parent.Parent = blank()
	parent.Parent.Ratio = math.SmallestNonzeroFloat64
	return value
}

func unknownEnum() *interop.Everything {
	value := blank()
	value.Color = 4242
	value.Parent = blank()
	value.Parent.Color = math.MinInt32
	return value
}

func foreign() *interop.Everything {
	value := blank()
	value.Text = "äöü ß 中文 🦀 e\u0301 \x00 \u202e"
	value.Words = []string{"日本語", "🧵🧶"}
	value.Counts = map[string]int64{"ключ": 1}
	value.MaybeText = pointer("\U0010FFFF")
	return value
}

func choosing(choice *interop.Choice) *interop.Everything {
	value := blank()
	value.Choice = choice
	return value
}

func long() *interop.Everything {
	value := blank()
	value.Text = strings.Repeat("long ", 4000)
	value.Counts, value.ByNumber = map[string]int64{}, map[int32]*interop.Inner{}
	for i := range int32(1000) {
		inner := &interop.Inner{Name: strings.Repeat("n", int(i%7)), Weight: i}
		value.Numbers = append(value.Numbers, i)
		value.Words = append(value.Words, inner.Name)
		value.Inners = append(value.Inners, inner)
		value.Unique = append(value.Unique, -i)
		value.Counts[strings.Repeat("k", int(i))] = int64(i)
		value.ByNumber[i] = inner
		value.Grid = append(value.Grid, []int32{i, -i})
	}
	return value
}

func nested(levels int) *interop.Everything {
	value := blank()
	value.Id = int64(levels)
	value.Choice = &interop.Choice{Inner: &interop.Inner{Name: "level", Weight: int32(levels)}}
	if levels > 1 {
		value.Parent = nested(levels - 1)
	}
	return value
}
