// Stands for Node's crypto, which no browser has and none needs: all have WebCrypto.
export default {}
