package cases

import (
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/remote/trans/ttstream"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"

	rpc "streamxkitex/gen/interop/interop"
	lessrpc "streamxkitex/gen/stranger/interop"
	strangerrpc "streamxkitex/gen/stranger/stranger"
	"streamxkitex/protobuf"
)

// Caller is the name of this side, which servers see in the path of a cancel.
const Caller = "kitex-client"

// InProtobuf is the one of Protocols whose messages are not in Thrift.
const InProtobuf = "grpc-protobuf"

// transports are the options for each of Protocols, in order: PurePayload clears those before it, the others add up. A
// buffered client has no streams.
var transports = map[string][]transport.Protocol{
	"framed":          nil,
	"buffered":        {transport.PurePayload},
	"ttheader-framed": {transport.TTHeaderFramed},
	"ttheader":        {transport.PurePayload, transport.TTHeader, transport.TTHeaderStreaming},
	"grpc":            {transport.GRPC},
	"grpc-protobuf":   {transport.GRPC},
}

// NewClient returns a client that puts all its streams on one connection.
func NewClient(name, addr, protocol string, more ...client.Option) rpc.Client {
	chosen := append(options(name, addr, protocol), more...)
	if protocol == InProtobuf {
		return protobuf.NewClient(chosen...)
	}
	return rpc.MustNewClient("interop", chosen...)
}

// Pool is the option of a client whose streams have the connections of a pool: mux (one for all), long or short.
func Pool(kind string) []client.Option {
	switch kind {
	case "long":
		return []client.Option{streams(ttstream.WithClientLongConnPool(ttstream.LongConnConfig{MaxIdleTimeout: time.Minute}))}
	case "short":
		return []client.Option{streams(ttstream.WithClientShortConnPool())}
	default:
		return nil
	}
}

// lackingMethods returns a client of Interop as somebody knows it whose methods the server lacks.
func lackingMethods(p *Peer) lessrpc.Client {
	chosen := options(Caller, p.Addr, p.Protocol)
	if p.Protocol == InProtobuf {
		return protobuf.NewLacking(chosen...)
	}
	return lessrpc.MustNewClient("interop", chosen...)
}

func lackingService(p *Peer) strangerrpc.Client {
	chosen := options(Caller, p.Addr, p.Protocol)
	if p.Protocol == InProtobuf {
		return protobuf.NewStranger(chosen...)
	}
	return strangerrpc.MustNewClient("stranger", chosen...)
}

func options(name, addr, protocol string) []client.Option {
	chosen := []client.Option{
		client.WithHostPorts(addr),
		client.WithConnectTimeout(5 * time.Second),
		client.WithRPCTimeout(limit),
		client.WithClientBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: name}),
		client.WithMetaHandler(transmeta.ClientTTHeaderHandler),
		streams(ttstream.WithClientMuxConnPool(ttstream.MuxConnConfig{PoolSize: 1, MaxIdleTimeout: time.Minute})),
	}
	for _, transport := range transports[protocol] {
		chosen = append(chosen, client.WithTransportProtocol(transport))
	}
	if strings.HasPrefix(protocol, "grpc") {
		chosen = append(chosen, client.WithGRPCConnPoolSize(1), client.WithMetaHandler(transmeta.ClientHTTP2Handler))
	}
	return chosen
}

func streams(pool ttstream.ClientHandlerOption) client.Option {
	return client.WithTTHeaderStreamingOptions(client.WithTTHeaderStreamingTransportOptions(pool))
}
