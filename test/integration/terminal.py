"""terminal.py COMMAND ARG ...: runs it on a terminal of 33 lines and 120 columns. What comes on standard input is typed, what is shown goes to
standard output; at the end a line says how the terminal was left. The exit code is the command's."""
import fcntl, os, pty, select, struct, sys, termios

screen, terminal = pty.openpty()
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 120, 0, 0))
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(terminal, fd)
    os.closerange(3, 64)
    os.execvp(sys.argv[1], sys.argv[1:])
# `terminal` is held open, so that its settings can be read when the command has ended.
watched, ended, status = [screen, 0], 0, 0
while True:
    if not ended:
        ended, status = os.waitpid(pid, os.WNOHANG)
    ready = select.select(watched, [], [], 0.1)[0]
    if ended and screen not in ready:
        break
    for source in ready:
        some = os.read(source, 65536)
        if some:
            os.write(screen if source == 0 else 1, some)
        else:
            watched.remove(source)
print("\necho is", "on" if termios.tcgetattr(terminal)[3] & termios.ECHO else "off", flush=True)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
