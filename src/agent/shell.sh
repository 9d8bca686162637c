# What a shell of `howdah ssh` reads first, in place of bash's own start-up files: /etc/profile of some systems sets PATH anew, and the
# node's, with Hadoop and Spark in it, would be lost. HOWDAH_NODE_NAME is set in degree plain only, where /etc is the host's.
if [ -n "$HOWDAH_NODE_NAME" ]; then
  PS1="[$USER@${HOWDAH_NODE_NAME%%.*} \W]$ "
else
  PS1="[$USER@\h \W]$ "
  for file in /etc/profile.d/*.sh; do [ -r "$file" ] && . "$file"; done
  unset file
fi
if [ -r ~/.bash_profile ]; then . ~/.bash_profile; elif [ -r ~/.bashrc ]; then . ~/.bashrc; fi
