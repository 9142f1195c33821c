# Checks a stored snapshot with the product's own checker. $1 image, $2 file.
check_rdb "$1" "$2"
