package protobuf

import (
	"streamxkitex/gen/interop"
	pb "streamxkitex/gen/protobuf/interop"
)

func toPacket(m *interop.Packet) *pb.Packet {
	return &pb.Packet{Number: m.Number, Body: m.Body, Text: m.Text}
}

func fromPacket(m *pb.Packet) *interop.Packet {
	return &interop.Packet{Number: m.Number, Body: m.Body, Text: m.Text}
}

func toCommand(m *interop.Command) *pb.Command {
	return &pb.Command{What: m.What, Count: m.Count, Size: m.Size}
}

func fromCommand(m *pb.Command) *interop.Command {
	return &interop.Command{What: m.What, Count: m.Count, Size: m.Size}
}

func toEverything(m *interop.Everything) *pb.Everything {
	if m == nil {
		return nil
	}
	return &pb.Everything{
		Flag: m.Flag, Tiny: int32(m.Tiny), Small: int32(m.Small), Medium: m.Medium, Large: m.Large, Ratio: m.Ratio,
		Text: m.Text, Blob: m.Blob, Color: pb.Color(m.Color), Inner: toInner(m.Inner), Choice: toChoice(m.Choice),
		Numbers: m.Numbers, Words: m.Words, Inners: each(m.Inners, toInner), Unique: m.Unique, Counts: m.Counts,
		ByNumber:    eachValue(m.ByNumber, toInner),
		Grid:        each(m.Grid, func(row []int32) *pb.ListOfI32 { return &pb.ListOfI32{Items: row} }),
		MaybeNumber: m.MaybeNumber, MaybeText: m.MaybeText, MaybeInner: toInner(m.MaybeInner),
		Limit: &m.Limit, Id: &m.Id, Parent: toEverything(m.Parent),
	}
}

// fromEverything gives what is absent its default: in protobuf that is left to the reader.
func fromEverything(m *pb.Everything) *interop.Everything {
	if m == nil {
		return nil
	}
	value := &interop.Everything{
		Flag: m.Flag, Tiny: int8(m.Tiny), Small: int16(m.Small), Medium: m.Medium, Large: m.Large, Ratio: m.Ratio,
		Text: m.Text, Blob: m.Blob, Color: interop.Color(m.Color), Inner: fromInner(m.Inner), Choice: fromChoice(m.Choice),
		Numbers: m.Numbers, Words: m.Words, Inners: each(m.Inners, fromInner), Unique: m.Unique, Counts: m.Counts,
		ByNumber:    eachValue(m.ByNumber, fromInner),
		Grid:        each(m.Grid, func(row *pb.ListOfI32) []int32 { return row.Items }),
		MaybeNumber: m.MaybeNumber, MaybeText: m.MaybeText, MaybeInner: fromInner(m.MaybeInner),
		Limit: 10, Id: m.GetId(), Parent: fromEverything(m.Parent),
	}
	if m.Inner == nil {
		value.Inner = &interop.Inner{}
	}
	if m.Limit != nil {
		value.Limit = *m.Limit
	}
	return value
}

func toInner(m *interop.Inner) *pb.Inner {
	if m == nil {
		return nil
	}
	return &pb.Inner{Name: m.Name, Weight: m.Weight}
}

func fromInner(m *pb.Inner) *interop.Inner {
	if m == nil {
		return nil
	}
	return &interop.Inner{Name: m.Name, Weight: m.Weight}
}

func toChoice(m *interop.Choice) *pb.Choice {
	switch {
	case m == nil:
		return nil
	case m.Text != nil:
		return &pb.Choice{Variant: &pb.Choice_Text{Text: *m.Text}}
	case m.Number != nil:
		return &pb.Choice{Variant: &pb.Choice_Number{Number: *m.Number}}
	case m.Inner != nil:
		return &pb.Choice{Variant: &pb.Choice_Inner{Inner: toInner(m.Inner)}}
	}
	return &pb.Choice{}
}

func fromChoice(m *pb.Choice) *interop.Choice {
	if m == nil {
		return nil
	}
	switch variant := m.Variant.(type) {
	case *pb.Choice_Text:
		return &interop.Choice{Text: &variant.Text}
	case *pb.Choice_Number:
		return &interop.Choice{Number: &variant.Number}
	case *pb.Choice_Inner:
		return &interop.Choice{Inner: fromInner(variant.Inner)}
	}
	return &interop.Choice{}
}

func each[A, B any](from []A, convert func(A) B) (to []B) {
	for _, value := range from {
		to = append(to, convert(value))
	}
	return to
}

func eachValue[K comparable, A, B any](from map[K]A, convert func(A) B) map[K]B {
	to := make(map[K]B, len(from))
	for key, value := range from {
		to[key] = convert(value)
	}
	return to
}
