# Puts a container back into a network that was removed and made again, or that it was taken out of, and starts it.
# $1 = network, $2 = the service's name, by which the others find it, $3 = container id.
docker network inspect "$1" >/dev/null || exit
# It still refers to the network by the id of the one that is gone; not being in it is no error here.
docker network disconnect --force "$1" "$3" 2>/dev/null
docker network connect --alias "$2" "$1" "$3" || exit
docker start "$3"
