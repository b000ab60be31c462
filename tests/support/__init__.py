"""What the tests speak with: servers, people, browsers, sockets, mail servers.

Everything here uses the program as its users do, over the command line, HTTP,
Socket.IO, SMTP and files; nothing knows what is inside of it.
"""
