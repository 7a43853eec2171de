// kitex-server ADDR [NEXT] serves Interop with the defaults of a Kitex server, as service.Serve says.
// With NEXT, the address of another server, it can stand in the middle of a chain; then it calls itself "kitex-server".
package main

import (
	"log"
	"os"

	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"

	"streamxkitex/cases"
	rpc "streamxkitex/gen/interop/interop"
	"streamxkitex/service"
)

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		log.Fatal("usage: kitex-server ADDR [NEXT]")
	}
	var next rpc.Client
	if len(os.Args) == 3 {
		next = cases.NewClient(service.Name, os.Args[2], "framed")
	}
	service.Serve(os.Args[1], func(options ...server.Option) server.Server {
		return rpc.NewServer(service.New(next), append(options, server.WithMetaHandler(transmeta.ServerTTHeaderHandler))...)
	})
}
